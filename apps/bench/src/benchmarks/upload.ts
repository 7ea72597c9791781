/** Row 6: an upload of 100 MB. Measures what the form's validation and the object store cost. */
import { stat } from "node:fs/promises";
import type { Benchmark, Figure } from "../benchmark.ts";
import { median } from "../measure/quantile.ts";
import { toMegabytes } from "../report/numbers.ts";
import { openClient } from "../test-bed/client.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { plotRuns } from "./plots.ts";
import { startBenchmarkStack, testableProfiles } from "./stacks.ts";

const LINES = 50_000;
/** 50,000 lines of this size are just below 100 MiB, half of the maximum size of an input file. */
const LINE_BYTES = 2_090;

export const upload: Benchmark = {
  name: "upload",
  title: "an upload of 100 MB, compared with Express and multer, which discard the bytes (row 6)",
  async run(context) {
    const { testBed, isFull, runs, say } = context;
    const input = await writeInput(testBed.folder, { lines: isFull ? LINES : 1_000, lineBytes: LINE_BYTES });
    const megabytes = toMegabytes((await stat(input.file)).size);
    const measureSpeed = async (work: () => Promise<unknown>): Promise<number> => {
      const begun = performance.now();
      await work();
      return megabytes / ((performance.now() - begun) / 1_000);
    };
    const figures: Figure[] = [];
    const speedsBySeries: Record<string, number[]> = {};
    for (const profile of testableProfiles()) {
      const bare = openClient(await testBed.startServer("bare-upload", []), "none");
      const upstream = await testBed.startUpstream();
      const { client } = await startBenchmarkStack(context, { profile, upstream });
      const speeds: { bare: number; ours: number }[] = [];
      // Each server first receives one upload, so that its hot code is compiled before the first measurement.
      await bare.upload(input);
      await client.upload(input);
      for (let run = 1; run <= runs; run += 1) {
        speeds.push({
          bare: await measureSpeed(() => bare.upload(input)),
          ours: await measureSpeed(() => client.upload(input)),
        });
      }
      await testBed.clear();
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
      speedsBySeries[profile] = speeds.map((run) => run.ours);
      speedsBySeries[`bare multer, compared with ${profile}`] = speeds.map((run) => run.bare);
    }
    const title = `Upload of ${megabytes.toFixed(0)} MB`;
    return { figures, plots: [plotRuns({ name: "upload", title, y: "MB/s" }, speedsBySeries)] };
  },
};
