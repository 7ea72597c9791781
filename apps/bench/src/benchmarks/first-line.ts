/** Row 13: how soon the first line of the largest batch is sent. Measures upload, validation and feed together. */
import type { Benchmark, Figure } from "../benchmark.ts";
import { median } from "../measure/quantile.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { until } from "@nightshift/testing/stack";
import { plotRuns } from "./plots.ts";
import { startBenchmarkStack, testableProfiles } from "./stacks.ts";

export const firstLine: Benchmark = {
  name: "first-line",
  title: "from the start of an upload to its first line at the upstream (row 13)",
  async run(context) {
    const { testBed, isFull, runs, say } = context;
    const input = await writeInput(testBed.folder, { lines: isFull ? 50_000 : 2_000 });
    const figures: Figure[] = [];
    const secondsByProfile: Record<string, number[]> = {};
    for (const profile of testableProfiles()) {
      const upstream = await testBed.startUpstream({ latencyMs: 1_000 });
      const { client } = await startBenchmarkStack(context, { profile, upstream });
      const seconds: number[] = [];
      const uploadSeconds: number[] = [];
      for (let run = 1; run <= runs; run += 1) {
        await upstream.reset();
        const begunAt = Date.now();
        const fileId = await client.upload(input);
        uploadSeconds.push((Date.now() - begunAt) / 1_000);
        const { id } = await client.create(fileId, input.endpoint);
        const { firstAt } = await until(
          async () => {
            const stats = await upstream.stats();
            return stats.requests > 0 && stats;
          },
          { message: "the first line is sent", timeoutMs: 60_000 },
        );
        seconds.push((firstAt - begunAt) / 1_000);
        await client.cancelled(id);
      }
      await testBed.clear();
      say(`${profile}: ${median(seconds).toFixed(2)} s, ${median(uploadSeconds).toFixed(2)} s of them the upload`);
      figures.push({
        row: 13,
        name: `upload to first line, ${profile}`,
        value: median(seconds),
        runs: seconds,
        details: { "upload, s": median(uploadSeconds) },
      });
      secondsByProfile[profile] = seconds;
    }
    const title = "Start of an upload of 50,000 lines to its first line at the upstream";
    return { figures, plots: [plotRuns({ name: "first-line", title, y: "s" }, secondsByProfile)] };
  },
};
