/** Distinguishes an unavailable object store, for which a retry is worthwhile, from a store that refuses the call. */
import { NETWORK_ERROR_CODES } from "@nightshift/domain";

const CODES = new Set([
  ...NETWORK_ERROR_CODES,
  // An unreachable name server, and a missing route.
  ...["EAI_AGAIN", "ENETUNREACH"],
  // A file system that is full, read-only or failing.
  ...["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE", "ESTALE"],
]);

const TOO_MANY_REQUESTS = 429;
const FIRST_SERVER_ERROR = 500;

/** The fields of an error from the file system, a connection or the AWS SDK. */
interface Facts {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

/**
 * Reports whether the store is unreachable, overloaded or unable to write now, so that the same call may succeed later.
 */
export function isObjectStoreUnavailable(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { name, code, cause, $metadata } = error as Facts;
  if (name === "TimeoutError") return true;
  if (typeof code === "string" && CODES.has(code)) return true;
  const status = Number($metadata?.httpStatusCode ?? 0);
  return status === TOO_MANY_REQUESTS || status >= FIRST_SERVER_ERROR || isObjectStoreUnavailable(cause);
}
