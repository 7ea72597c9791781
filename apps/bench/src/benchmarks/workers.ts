/**
 * Row 9: one, two and four workers. Measures whether they share the limits of an upstream without losing throughput.
 */
import { availableParallelism } from "node:os";
import type { Benchmark } from "../benchmark.ts";
import { predictRate } from "../cost-model.ts";
import { runBatch, type BatchRun } from "../measure/batch-run.ts";
import { rateBetween } from "../measure/rate.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { cpuDetails } from "./overhead.ts";
import { startBenchmarkStack } from "./stacks.ts";

const WORKERS = [1, 2, 4];
const CONCURRENCY_EACH = 64;
const LATENCY_MS = 200;
const SECONDS = 20;

/** Returns the lines per second during the part of the run in which all slots can be in use. */
function steadyRate({ progress, batch }: BatchRun): number {
  return rateBetween(progress, batch.request_counts.total, 0.1, 0.9);
}

export const workers: Benchmark = {
  name: "workers",
  title: "1, 2 and 4 workers, 64 lines in flight each, 200 ms per line (row 9)",
  async run(context) {
    const { testBed, isFull, say } = context;
    const perfect = (CONCURRENCY_EACH * 1_000) / LATENCY_MS;
    const runs: { count: number; rate: number; whole: number; batch: BatchRun }[] = [];
    for (const count of WORKERS) {
      const input = await writeInput(testBed.folder, { lines: count * perfect * (isFull ? SECONDS : 3) });
      const upstream = await testBed.startUpstream({ latencyMs: LATENCY_MS });
      const concurrency = count * CONCURRENCY_EACH;
      const { client } = await startBenchmarkStack(context, {
        profile: "scaled",
        upstream,
        workers: count,
        concurrency,
      });
      const fileId = await client.upload(input);
      const batch = await runBatch({ client, upstream, fileId, endpoint: input.endpoint });
      runs.push({ count, rate: steadyRate(batch), whole: input.lines / batch.seconds, batch });
      await testBed.clear();
      say(`${String(count)} workers: ${steadyRate(batch).toFixed(0)} lines/s of ${String(count * perfect)}`);
    }
    const [one, four] = [runs[0], runs.at(-1)];
    if (one === undefined || four === undefined) throw new Error("unreachable: there is a run for each worker count");
    const predicted = predictRate({
      workers: four.count,
      concurrencyEach: CONCURRENCY_EACH,
      latencyMs: LATENCY_MS,
      cpuMicroseconds: Object.values(one.batch.cpuMicroseconds).reduce((sum, value) => sum + value, 0),
      cores: availableParallelism(),
    });
    const efficiency = four.rate / (four.count * one.rate);
    return {
      figures: [
        {
          row: 9,
          name: "4 workers against 4 times 1 worker",
          value: efficiency,
          runs: runs.map(({ count, rate }) => rate / (count * one.rate)),
          details: {
            ...Object.fromEntries(runs.map(({ count, rate }) => [`${String(count)} workers, lines/s`, rate])),
            "4 workers, predicted from 1 by the cost model, lines/s": predicted,
            "4 workers, measured against predicted": four.rate / predicted,
            "4 workers, whole batch, lines/s": four.whole,
            "4 workers, of what the upstream could serve": four.rate / (four.count * perfect),
            ...cpuDetails([four.batch]),
          },
        },
      ],
      plots: [
        {
          name: "workers",
          title: "Workers with 64 lines in flight each, 200 ms a line",
          kind: "line",
          x: "workers",
          y: "lines/s",
          series: [
            { name: "Nightshift", points: runs.map(({ count, rate }) => [count, rate]) },
            { name: "all slots always full", points: runs.map(({ count }) => [count, count * perfect]) },
          ],
        },
      ],
    };
  },
};
