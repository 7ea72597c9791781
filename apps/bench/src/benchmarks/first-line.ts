/** Row 13: how soon the first line of the largest batch is sent. What is measured is upload, validation and feed. */
import type { Benchmark, Figure, Series } from "../benchmark.ts";
import { median } from "../measure/quantile.ts";
import { writeInput } from "../setting/input-file.ts";
import { until } from "@nightshift/testing/stack";
import { openBench, profilesHere } from "./profiles.ts";

export const firstLine: Benchmark = {
  name: "first-line",
  title: "from the start of an upload to its first line at the upstream (row 13)",
  async run(session) {
    const { lab, isFull, runs, say } = session;
    const input = await writeInput(lab.folder, { lines: isFull ? 50_000 : 2_000 });
    const figures: Figure[] = [];
    const series: Series[] = [];
    for (const profile of profilesHere()) {
      const upstream = await lab.startUpstream({ latencyMs: 1_000 });
      const { client } = await openBench(session, { profile, upstream });
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
      await lab.clear();
      say(`${profile}: ${median(seconds).toFixed(2)} s, ${median(uploadSeconds).toFixed(2)} s of them the upload`);
      figures.push({
        row: 13,
        name: `upload to first line, ${profile}`,
        value: median(seconds),
        runs: seconds,
        details: { "upload, s": median(uploadSeconds) },
      });
      series.push({ name: profile, points: seconds.map((value, i) => [i + 1, value]) });
    }
    const title = "Start of an upload of 50,000 lines to its first line at the upstream";
    return { figures, plots: [{ name: "first-line", title, kind: "bar", x: "run", y: "s", series }] };
  },
};
