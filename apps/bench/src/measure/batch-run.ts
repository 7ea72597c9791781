/** One batch through Nightshift, from create to completed, with all that is worth knowing about it. */
import type { Client, BatchObject } from "../setting/client.ts";
import type { Upstream } from "../setting/laboratory.ts";
import { cpuUsed, readCpuTimes, type Role } from "./cpu-time.ts";

export interface BatchRun {
  readonly batch: BatchObject;
  /** From the request that creates the batch to the reply that calls it completed. */
  readonly seconds: number;
  /** From the request that creates the batch to the first line at the upstream. */
  readonly firstLineMs: number;
  /** From the upstream's last reply to the reply that calls the batch completed. */
  readonly finishMs: number;
  /** What each GET of the batch took, in milliseconds. */
  readonly pollsMs: readonly number[];
  /** Seconds since the batch was created, and lines done by then. */
  readonly progress: readonly (readonly [number, number])[];
  /** CPU time by role, in microseconds for each line. */
  readonly cpuMicroseconds: Partial<Record<Role, number>>;
}

export interface BatchToRun {
  readonly client: Client;
  readonly upstream: Upstream;
  readonly fileId: string;
  readonly endpoint: string;
  /** Between two looks at the batch. */
  readonly pollMs?: number;
}

export async function runBatch({ client, upstream, fileId, endpoint, pollMs = 50 }: BatchToRun): Promise<BatchRun> {
  await upstream.reset();
  const cpuBefore = await readCpuTimes();
  const begunAt = Date.now();
  const begun = performance.now();
  const pollsMs: number[] = [];
  const progress: [number, number][] = [[0, 0]];
  const { id } = await client.create(fileId, endpoint);
  const batch = await client.completed(id, pollMs, (seen, tookMs) => {
    pollsMs.push(tookMs);
    progress.push([(performance.now() - begun) / 1_000, seen.request_counts.completed]);
  });
  const seconds = (performance.now() - begun) / 1_000;
  const endedAt = Date.now();
  const used = cpuUsed(cpuBefore, await readCpuTimes());
  const { firstAt, lastAt } = await upstream.stats();
  const lines = batch.request_counts.total;
  const perLine = Object.entries(used).map(([role, ms]) => [role, (ms * 1_000) / lines]);
  return {
    batch,
    seconds,
    firstLineMs: firstAt - begunAt,
    finishMs: endedAt - lastAt,
    pollsMs,
    progress,
    cpuMicroseconds: Object.fromEntries(perLine) as Partial<Record<Role, number>>,
  };
}
