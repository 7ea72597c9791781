/** Row 4: a batch of three lines on an idle service. What is measured is whether anything waits for a poll or a timer. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Benchmark, Figure, Series } from "../benchmark.ts";
import { median, percentiles, quantile } from "../measure/quantile.ts";
import { writeInput } from "../setting/input-file.ts";
import { openBench, profilesHere } from "./profiles.ts";

/** Between two batches, so that each one finds the service idle. */
const IDLE_MS = 100;
/** Between two looks: the figure is at most so much too large. */
const LOOK_MS = 2;

export const turnAround: Benchmark = {
  name: "turn-around",
  title: "a batch of three lines on an idle service (row 4)",
  async run(session) {
    const { lab, isFull, say } = session;
    const input = await writeInput(lab.folder, { lines: 3 });
    const figures: Figure[] = [];
    const series: Series[] = [];
    for (const profile of profilesHere()) {
      const upstream = await lab.startUpstream();
      const { client } = await openBench(session, { profile, upstream });
      const fileId = await client.upload(input);
      const tookMs: number[] = [];
      for (let i = 0; i < (isFull ? 100 : 5); i += 1) {
        await sleep(IDLE_MS);
        const begun = performance.now();
        const { id } = await client.create(fileId, input.endpoint);
        await client.completed(id, LOOK_MS);
        tookMs.push(performance.now() - begun);
      }
      await lab.clear();
      say(`${profile}: p50 ${median(tookMs).toFixed(1)} ms, p99 ${quantile(tookMs, 0.99).toFixed(1)} ms`);
      figures.push({
        row: 4,
        name: `turn-around, ${profile}`,
        value: median(tookMs),
        runs: tookMs,
        details: { "p90, ms": quantile(tookMs, 0.9), "p99, ms": quantile(tookMs, 0.99) },
      });
      series.push({ name: profile, points: percentiles(tookMs) });
    }
    const title = "Three lines on an idle service: create to completed";
    return { figures, plots: [{ name: "turn-around", title, kind: "line", x: "percentile", y: "ms", series }] };
  },
};
