/** Runs one batch through Nightshift from create to completed, and measures it. */
import type { Client, BatchObject } from "../test-bed/client.ts";
import type { Upstream } from "../test-bed/test-bed.ts";
import { cpuUsed, readCpuTimes, type Role } from "./cpu-time.ts";

export interface BatchRun {
  readonly batch: BatchObject;
  /** The time from the request that creates the batch to the reply with status `completed`. */
  readonly seconds: number;
  /** The time from the request that creates the batch to the first line at the upstream. */
  readonly firstLineMs: number;
  /** The time from the upstream's last reply to the reply with status `completed`. */
  readonly finishMs: number;
  /** The duration of each GET of the batch, in milliseconds. */
  readonly pollsMs: readonly number[];
  /** Seconds since the batch was created, and the number of lines done at that time. */
  readonly progress: readonly (readonly [number, number])[];
  /** CPU time in microseconds per line, by role. */
  readonly cpuMicroseconds: Partial<Record<Role, number>>;
}

export interface BatchRunOptions {
  readonly client: Client;
  readonly upstream: Upstream;
  readonly fileId: string;
  readonly endpoint: string;
  /** The interval between two polls of the batch. */
  readonly pollMs?: number;
}

export async function runBatch({
  client,
  upstream,
  fileId,
  endpoint,
  pollMs = 50,
}: BatchRunOptions): Promise<BatchRun> {
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
