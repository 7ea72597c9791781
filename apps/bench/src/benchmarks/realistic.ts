/** Rows 3 and 11: an upstream with the latency of a model. Measures whether Nightshift keeps all its slots in use. */
import type { Profile } from "@nightshift/testing/stack";
import type { Benchmark, BenchmarkContext, BenchmarkReport } from "../benchmark.ts";
import { runBatch, type BatchRun } from "../measure/batch-run.ts";
import { median, quantile } from "../measure/quantile.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { cpuDetails } from "./overhead.ts";
import { plotPercentiles } from "./plots.ts";
import { CONCURRENCY, onEachProfile, startBenchmarkStack } from "./stacks.ts";

const SIGMA = 0.5;

async function measure(context: BenchmarkContext, profile: Profile): Promise<BenchmarkReport> {
  const { testBed, isFull, say } = context;
  const lines = isFull ? 5_000 : 1_000;
  const input = await writeInput(testBed.folder, { lines });
  const upstream = await testBed.startUpstream({ latencyMs: isFull ? 1_000 : 100, sigma: SIGMA });
  const { client } = await startBenchmarkStack(context, { profile, upstream });
  const fileId = await client.upload(input);
  const ratios: number[] = [];
  const ours: BatchRun[] = [];
  const bareSeconds: number[] = [];
  for (let run = 1; run <= context.runs; run += 1) {
    await upstream.reset();
    const bare = await testBed.runBareLoop(input, upstream, CONCURRENCY);
    const batch = await runBatch({ client, upstream, fileId, endpoint: input.endpoint });
    ours.push(batch);
    bareSeconds.push(bare.seconds);
    ratios.push(bare.seconds / batch.seconds);
    say(`${profile}: ${bare.seconds.toFixed(2)} s bare, ${batch.seconds.toFixed(2)} s Nightshift`);
  }
  await testBed.clear();
  const polls = ours.flatMap((run) => run.pollsMs);
  return {
    figures: [
      {
        row: 3,
        name: `realistic, ${profile}`,
        value: median(ratios),
        runs: ratios,
        details: {
          "bare loop, s": median(bareSeconds),
          "Nightshift, s": median(ours.map((run) => run.seconds)),
          "first line after, ms": median(ours.map((run) => run.firstLineMs)),
          "completed after the last reply, ms": median(ours.map((run) => run.finishMs)),
          ...cpuDetails(ours),
        },
      },
      {
        row: 11,
        name: `GET of the batch under row 3, ${profile}, p99`,
        value: quantile(polls, 0.99),
        runs: [quantile(polls, 0.99)],
        details: { "p50, ms": median(polls), polls: polls.length },
      },
    ],
    plots: [
      {
        name: `realistic-${profile}`,
        title: `${lines.toLocaleString("en")} lines, latency log-normal around 1 s, ${profile}`,
        kind: "line",
        x: "s since create",
        y: "lines done",
        series: [
          { name: "Nightshift", points: ours[0]?.progress ?? [] },
          {
            name: "bare loop, from start to end",
            points: [
              [0, 0],
              [bareSeconds[0] ?? 0, lines],
            ],
          },
        ],
      },
      plotPercentiles(
        {
          name: `polls-realistic-${profile}`,
          title: `GET of a batch while lines wait for their model, ${profile}`,
          y: "ms",
        },
        { GET: polls },
      ),
    ],
  };
}

export const realistic: Benchmark = {
  name: "realistic",
  title: "an upstream that takes about a second (rows 3, 11)",
  run: (context) => onEachProfile((profile) => measure(context, profile)),
};
