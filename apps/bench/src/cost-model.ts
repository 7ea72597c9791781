/** The cost model of docs/performance.md as arithmetic: what a deployment will do, from what one worker was seen to cost. */

export interface Deployment {
  readonly workers: number;
  /** Lines in flight of each worker. */
  readonly concurrencyEach: number;
  readonly latencyMs: number;
  /** CPU of all processes together, for one line. */
  readonly cpuMicroseconds: number;
  readonly cores: number;
}

/** Lines a second: what the slots let through, or what the cores can pay, whichever is less. */
export function predictRate(deployment: Deployment): number {
  const { workers, concurrencyEach, latencyMs, cpuMicroseconds, cores } = deployment;
  const bySlots = (workers * concurrencyEach * 1_000) / latencyMs;
  const byCores = (cores * 1_000_000) / cpuMicroseconds;
  return Math.min(bySlots, byCores);
}
