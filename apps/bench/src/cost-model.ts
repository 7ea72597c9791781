/**
 * The cost model of docs/performance.md: predicts the throughput of a deployment from the measured cost of one worker.
 */

export interface Deployment {
  readonly workers: number;
  /** The number of lines in flight at each worker. */
  readonly concurrencyEach: number;
  readonly latencyMs: number;
  /** The total CPU time of all processes for one line. */
  readonly cpuMicroseconds: number;
  readonly cores: number;
}

/** Returns the lines per second: the limit of the slots or the limit of the cores, whichever is lower. */
export function predictRate(deployment: Deployment): number {
  const { workers, concurrencyEach, latencyMs, cpuMicroseconds, cores } = deployment;
  const bySlots = (workers * concurrencyEach * 1_000) / latencyMs;
  const byCores = (cores * 1_000_000) / cpuMicroseconds;
  return Math.min(bySlots, byCores);
}
