/** Rows 3 and 11: an upstream with the latency of a model. What is measured is whether its slots are ever empty. */
import type { Profile } from "@nightshift/testing/stack";
import type { Benchmark, Outcome, Session } from "../benchmark.ts";
import { runBatch, type BatchRun } from "../measure/batch-run.ts";
import { median, percentiles, quantile } from "../measure/quantile.ts";
import { writeInput } from "../setting/input-file.ts";
import { cpuDetails } from "./overhead.ts";
import { CONCURRENCY, openBench, onEachProfile } from "./profiles.ts";

const SIGMA = 0.5;

async function measure(session: Session, profile: Profile): Promise<Outcome> {
  const { lab, isFull, say } = session;
  const lines = isFull ? 5_000 : 1_000;
  const input = await writeInput(lab.folder, { lines });
  const upstream = await lab.startUpstream({ latencyMs: isFull ? 1_000 : 100, sigma: SIGMA });
  const { client } = await openBench(session, { profile, upstream });
  const fileId = await client.upload(input);
  const ratios: number[] = [];
  const ours: BatchRun[] = [];
  const bareSeconds: number[] = [];
  for (let run = 1; run <= session.runs; run += 1) {
    await upstream.reset();
    const bare = await lab.runBareLoop(input, upstream, CONCURRENCY);
    const batch = await runBatch({ client, upstream, fileId, endpoint: input.endpoint });
    ours.push(batch);
    bareSeconds.push(bare.seconds);
    ratios.push(bare.seconds / batch.seconds);
    say(`${profile}: ${bare.seconds.toFixed(2)} s bare, ${batch.seconds.toFixed(2)} s Nightshift`);
  }
  await lab.clear();
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
      {
        name: `polls-realistic-${profile}`,
        title: `GET of a batch while lines wait for their model, ${profile}`,
        kind: "line",
        x: "percentile",
        y: "ms",
        series: [{ name: "GET", points: percentiles(polls) }],
      },
    ],
  };
}

export const realistic: Benchmark = {
  name: "realistic",
  title: "an upstream that takes about a second (rows 3, 11)",
  run: (session) => onEachProfile((profile) => measure(session, profile)),
};
