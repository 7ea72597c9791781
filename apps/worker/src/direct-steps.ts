/**
 * The short way of small batches: the worker that has done a step does the next one at once, instead of waiting until the
 * queue hands it, or another worker, the job: 5 ms a step on Redis, 12 ms on Postgres. Every step may run twice, so what a
 * crash leaves undone here is done by a job: of the queue, or of the reconciler's.
 */
import type { Logger } from "@nightshift/service";

export interface DirectSteps {
  /** Does it now. What fails is logged, and left to the job. */
  go(name: string, step: () => Promise<unknown>): void;
  /** Resolves when no step is under way. */
  idle(): Promise<void>;
}

/** Any number of steps at a time: small batches are short. */
export function createDirectSteps(logger: Logger): DirectSteps {
  const underWay = new Set<Promise<void>>();
  return {
    go(name, step) {
      const running = step().then(
        () => undefined,
        (error: unknown) => {
          logger.warn({ err: error }, `could not ${name} at once; its job will`);
        },
      );
      underWay.add(running);
      void running.then(() => underWay.delete(running));
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}
