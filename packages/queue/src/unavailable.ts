/** The one error of a queue that is away, and the deadline after which a queue that does not answer counts as away. */

/** How long a call to the queue's server may take before it counts as away, in milliseconds. */
export const callTimeoutMs = 5000;

/** The queue's server is away or does not answer. Nothing depends on the job that was to be added: the reconciler finds the work in Postgres. */
export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}

/** Runs a call to the queue's server; any failure, and no answer within `callTimeoutMs`, is a QueueUnavailableError with its cause. */
export async function callQueue<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await within(callTimeoutMs, call());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new QueueUnavailableError(`queue: cannot ${what}: ${reason}`, { cause: error });
  }
}

/** Settles as the promise does, or rejects after `timeoutMs`; the promise itself cannot be stopped and goes on alone. */
async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the promise settled, either way, within `timeoutMs`. */
export async function settlesWithin(timeoutMs: number, promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return within(timeoutMs, settled).catch(() => false);
}
