/** The one error of a queue that is away, and the deadline after which a queue that does not answer counts as away. */
import { withDeadline } from "@nightshift/service";

/** How long a call to the queue's server may take before it counts as away, in milliseconds. */
export const CALL_TIMEOUT_MS = 5000;

/** The queue's server is away or does not answer. Nothing depends on the job that was to be added: the reconciler finds the work in Postgres. */
export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}

/** Runs a call to the queue's server; any failure, and no answer within `CALL_TIMEOUT_MS`, is a QueueUnavailableError with its cause. */
export async function callQueue<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(call(), CALL_TIMEOUT_MS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new QueueUnavailableError(`queue: cannot ${what}: ${reason}`, { cause: error });
  }
}

/** Whether the promise settled, either way, within `timeoutMs`. */
export async function settlesWithin(timeoutMs: number, promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return withDeadline(settled, timeoutMs).catch(() => false);
}
