/** Row 6: an upload of the largest file. What is measured is what validation of the form and the object store cost. */
import { stat } from "node:fs/promises";
import type { Benchmark, Figure, Series } from "../benchmark.ts";
import { median } from "../measure/quantile.ts";
import { toMegabytes } from "../rows.ts";
import { openClient } from "../setting/client.ts";
import { writeInput } from "../setting/input-file.ts";
import { openBench, profilesHere } from "./profiles.ts";

const LINES = 50_000;
/** 50,000 of them are just below 100 MiB, half of what a batch's input may have. */
const LINE_BYTES = 2_090;

export const upload: Benchmark = {
  name: "upload",
  title: "an upload of 100 MB against Express and multer into nowhere (row 6)",
  async run(session) {
    const { lab, isFull, runs, say } = session;
    const input = await writeInput(lab.folder, { lines: isFull ? LINES : 1_000, lineBytes: LINE_BYTES });
    const megabytes = toMegabytes((await stat(input.file)).size);
    const time = async (work: () => Promise<unknown>): Promise<number> => {
      const begun = performance.now();
      await work();
      return megabytes / ((performance.now() - begun) / 1_000);
    };
    const figures: Figure[] = [];
    const series: Series[] = [];
    for (const profile of profilesHere()) {
      const bare = openClient(await lab.startServer("bare-upload", []), "none");
      const upstream = await lab.startUpstream();
      const { client } = await openBench(session, { profile, upstream });
      const speeds: { bare: number; ours: number }[] = [];
      // Both have compiled their hot code before anything counts.
      await bare.upload(input);
      await client.upload(input);
      for (let run = 1; run <= runs; run += 1) {
        speeds.push({ bare: await time(() => bare.upload(input)), ours: await time(() => client.upload(input)) });
      }
      await lab.clear();
      const ratios = speeds.map((run) => run.ours / run.bare);
      say(`${profile}: ${median(ratios).toFixed(2)} of the bare server`);
      figures.push({
        row: 6,
        name: `upload, ${profile}`,
        value: median(ratios),
        runs: ratios,
        details: {
          "bare multer, MB/s": median(speeds.map((run) => run.bare)),
          "Nightshift, MB/s": median(speeds.map((run) => run.ours)),
        },
      });
      series.push({ name: profile, points: speeds.map((run, i) => [i + 1, run.ours]) });
      series.push({ name: `bare multer beside ${profile}`, points: speeds.map((run, i) => [i + 1, run.bare]) });
    }
    const title = `Upload of ${megabytes.toFixed(0)} MB`;
    return { figures, plots: [{ name: "upload", title, kind: "bar", x: "run", y: "MB/s", series }] };
  },
};
