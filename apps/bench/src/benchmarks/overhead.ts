/**
 * Rows 1, 2, 10 and 11: short lines and an upstream that replies at once. Measures the overhead of Nightshift alone.
 */
import type { Profile } from "@nightshift/testing/stack";
import type { Benchmark, BenchmarkContext, BenchmarkReport, Figure, Plot } from "../benchmark.ts";
import { runBatch, type BatchRun } from "../measure/batch-run.ts";
import { cpuUsed, readCpuTimes } from "../measure/cpu-time.ts";
import { median, quantile } from "../measure/quantile.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { plotPercentiles, plotRuns } from "./plots.ts";
import { CONCURRENCY, onEachProfile, startBenchmarkStack } from "./stacks.ts";

const ROW: Record<Profile, number> = { scaled: 1, "one-machine": 2 };

/** One run of the bare loop and one run of Nightshift. */
interface RunPair {
  readonly bareSeconds: number;
  readonly upstreamMicroseconds: number;
  readonly ours: BatchRun;
}

async function measure(context: BenchmarkContext, profile: Profile, lines: number): Promise<BenchmarkReport> {
  const { testBed, runs, say } = context;
  const input = await writeInput(testBed.folder, { lines });
  const upstream = await testBed.startUpstream();
  const { client } = await startBenchmarkStack(context, { profile, upstream });
  const fileId = await client.upload(input);
  const pairs: RunPair[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const before = await readCpuTimes();
    const bare = await testBed.runBareLoop(input, upstream, CONCURRENCY);
    const upstreamMs = cpuUsed(before, await readCpuTimes()).upstream ?? 0;
    const ours = await runBatch({ client, upstream, fileId, endpoint: input.endpoint });
    pairs.push({ bareSeconds: bare.seconds, upstreamMicroseconds: (upstreamMs * 1_000) / lines, ours });
    say(`${profile}: ${perSecond(lines, bare.seconds)} bare, ${perSecond(lines, ours.seconds)} Nightshift`);
  }
  await testBed.clear();
  return reportPairs(profile, lines, pairs);
}

const perSecond = (lines: number, seconds: number): string => `${(lines / seconds).toFixed(0)} lines/s`;

function reportPairs(profile: Profile, lines: number, pairs: readonly RunPair[]): BenchmarkReport {
  const ratios = pairs.map(({ bareSeconds, ours }) => bareSeconds / ours.seconds);
  const finish = pairs.map(({ ours }) => ours.finishMs / 1_000);
  const polls = pairs.flatMap(({ ours }) => ours.pollsMs);
  const figures: Figure[] = [
    {
      row: ROW[profile],
      name: `overhead, ${profile}`,
      value: median(ratios),
      runs: ratios,
      details: {
        "bare loop, lines/s": median(pairs.map(({ bareSeconds }) => lines / bareSeconds)),
        "Nightshift, lines/s": median(pairs.map(({ ours }) => lines / ours.seconds)),
        "upstream under the bare loop, µs CPU a line": median(pairs.map((pair) => pair.upstreamMicroseconds)),
        ...cpuDetails(pairs.map(({ ours }) => ours)),
      },
    },
    { row: 10, name: `last reply to completed, ${profile}`, value: median(finish), runs: finish, details: {} },
    {
      row: 11,
      name: `GET of the batch under row ${String(ROW[profile])}, p99`,
      value: quantile(polls, 0.99),
      runs: [quantile(polls, 0.99)],
      details: { "p50, ms": median(polls), polls: polls.length },
    },
  ];
  const title = `Overhead, ${profile}: ${lines.toLocaleString("en")} short lines, upstream answers at once`;
  const pollsTitle = `GET of a batch while it runs at full speed, ${profile}`;
  const plots: Plot[] = [
    plotRuns(
      { name: `overhead-${profile}`, title, y: "lines/s" },
      {
        "bare loop": pairs.map(({ bareSeconds }) => lines / bareSeconds),
        Nightshift: pairs.map(({ ours }) => lines / ours.seconds),
      },
    ),
    plotRuns(
      { name: `finish-${profile}`, title: `Last reply to completed, ${profile}`, y: "s" },
      { Nightshift: finish },
    ),
    plotPercentiles({ name: `polls-overhead-${profile}`, title: pollsTitle, y: "ms" }, { GET: polls }),
  ];
  return { figures, plots };
}

/** The median CPU time of each process over all runs. */
export function cpuDetails(runs: readonly BatchRun[]): Record<string, number> {
  const roles = Object.keys(runs[0]?.cpuMicroseconds ?? {}) as (keyof BatchRun["cpuMicroseconds"])[];
  return Object.fromEntries(
    roles.map((role) => [`${role}, µs CPU a line`, median(runs.map((run) => run.cpuMicroseconds[role] ?? 0))]),
  );
}

export const overhead: Benchmark = {
  name: "overhead",
  title: "short lines, the upstream answers at once (rows 1, 2, 10, 11)",
  run(context) {
    const lines = context.isFull ? 50_000 : 2_000;
    return onEachProfile((profile) => measure(context, profile, lines));
  },
};
