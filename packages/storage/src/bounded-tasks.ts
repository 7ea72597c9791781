/**
 * Runs a bounded number of tasks at a time, with backpressure: the caller waits for a free slot before it reads the
 * next source, which bounds memory. The p-limit package counts slots too, but it queues any number of tasks, and it
 * cannot wait for the tasks that run now. Code that adds both to p-limit would be longer than this file.
 */

export interface BoundedTasks {
  /** Resolves once `task` has begun. Rejects without starting the task if `stop` is aborted. */
  start(task: () => Promise<void>): Promise<void>;
  /** Resolves when the tasks that run now have ended, successfully or not. Later tasks are not waited for. */
  idle(): Promise<void>;
}

/**
 * Allows `limit` tasks at a time. A task that fails aborts `stop` with its error, which stops all tasks that share
 * `stop`.
 */
export function createBoundedTasks(limit: number, stop: AbortController): BoundedTasks {
  const running = new Set<Promise<void>>();
  return {
    start: async (task) => {
      while (running.size >= limit) await Promise.race(running);
      stop.signal.throwIfAborted();
      const run = task()
        .catch((error: unknown) => {
          stop.abort(error);
        })
        .finally(() => running.delete(run));
      running.add(run);
    },
    idle: async () => {
      await Promise.all(running);
    },
  };
}
