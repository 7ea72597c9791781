/**
 * Runs tasks beside each other, a few at a time; the first that fails stops all that share its controller. A queue of
 * promises such as p-limit counts as well, but takes any number of tasks at once: here whoever reads the sources waits for
 * a place before it reads on, which is what bounds memory, and can wait for what runs without ending the lane.
 */

export interface TaskLane {
  /** Resolves once `task` has begun; rejects without beginning it where all is stopped. */
  start(task: () => Promise<void>): Promise<void>;
  /** Resolves when what runs now has ended, well or not. */
  idle(): Promise<void>;
}

/** A lane for `limit` tasks at a time. A failure aborts `stop` with its error. */
export function createTaskLane(limit: number, stop: AbortController): TaskLane {
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
