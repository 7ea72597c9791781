/** Row 4: a batch of three lines on an idle service. Measures whether any step waits for a poll or a timer. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Benchmark, Figure } from "../benchmark.ts";
import { median, quantile } from "../measure/quantile.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { plotPercentiles } from "./plots.ts";
import { startBenchmarkStack, testableProfiles } from "./stacks.ts";

/** The pause between two batches, so that each one finds the service idle. */
const IDLE_MS = 100;
/** The interval between two polls. A measured time can be too long by at most this. */
const POLL_MS = 2;

export const turnAround: Benchmark = {
  name: "turn-around",
  title: "a batch of three lines on an idle service (row 4)",
  async run(context) {
    const { testBed, isFull, say } = context;
    const input = await writeInput(testBed.folder, { lines: 3 });
    const figures: Figure[] = [];
    const msByProfile: Record<string, number[]> = {};
    for (const profile of testableProfiles()) {
      const upstream = await testBed.startUpstream();
      const { client } = await startBenchmarkStack(context, { profile, upstream });
      const fileId = await client.upload(input);
      const tookMs: number[] = [];
      for (let i = 0; i < (isFull ? 100 : 5); i += 1) {
        await sleep(IDLE_MS);
        const begun = performance.now();
        const { id } = await client.create(fileId, input.endpoint);
        await client.completed(id, POLL_MS);
        tookMs.push(performance.now() - begun);
      }
      await testBed.clear();
      say(`${profile}: p50 ${median(tookMs).toFixed(1)} ms, p99 ${quantile(tookMs, 0.99).toFixed(1)} ms`);
      figures.push({
        row: 4,
        name: `turn-around, ${profile}`,
        value: median(tookMs),
        runs: tookMs,
        details: { "p90, ms": quantile(tookMs, 0.9), "p99, ms": quantile(tookMs, 0.99) },
      });
      msByProfile[profile] = tookMs;
    }
    const title = "Three lines on an idle service: create to completed";
    return { figures, plots: [plotPercentiles({ name: "turn-around", title, y: "ms" }, msByProfile)] };
  },
};
