/** The error of an unavailable queue, and the deadline for every call to it. */
import { withDeadline } from "@nightshift/service";

/** A queue that takes longer than this to answer counts as unavailable. */
export const CALL_TIMEOUT_MS = 5_000;

/**
 * The queue's server is unavailable. A job that could not be added is not lost: the reconciler finds it in Postgres.
 */
export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}

/** Calls the queue's server. Any failure or late answer becomes a QueueUnavailableError with its cause. */
export async function callQueue<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(call(), CALL_TIMEOUT_MS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new QueueUnavailableError(`queue: cannot ${what}: ${reason}`, { cause: error });
  }
}

/** Returns true if the promise resolved or rejected in time. */
export async function settlesWithin(timeoutMs: number, promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return withDeadline(settled, timeoutMs).catch(() => false);
}
