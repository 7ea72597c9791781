/** Rows 1, 2, 10 and 11: short lines against an upstream that answers at once. What is measured is Nightshift alone. */
import type { Profile } from "@nightshift/testing/stack";
import type { Benchmark, Figure, Outcome, Plot, Session } from "../benchmark.ts";
import { runBatch, type BatchRun } from "../measure/batch-run.ts";
import { cpuUsed, readCpuTimes } from "../measure/cpu-time.ts";
import { median, percentiles, quantile } from "../measure/quantile.ts";
import { writeInput } from "../setting/input-file.ts";
import { CONCURRENCY, openBench, onEachProfile } from "./profiles.ts";

const ROW: Record<Profile, number> = { scaled: 1, "one-machine": 2 };

interface Pair {
  readonly bareSeconds: number;
  readonly upstreamMicroseconds: number;
  readonly ours: BatchRun;
}

async function measure(session: Session, profile: Profile, lines: number): Promise<Outcome> {
  const { lab, runs, say } = session;
  const input = await writeInput(lab.folder, { lines });
  const upstream = await lab.startUpstream();
  const { client } = await openBench(session, { profile, upstream });
  const fileId = await client.upload(input);
  const pairs: Pair[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const before = await readCpuTimes();
    const bare = await lab.runBareLoop(input, upstream, CONCURRENCY);
    const upstreamMs = cpuUsed(before, await readCpuTimes()).upstream ?? 0;
    const ours = await runBatch({ client, upstream, fileId, endpoint: input.endpoint });
    pairs.push({ bareSeconds: bare.seconds, upstreamMicroseconds: (upstreamMs * 1_000) / lines, ours });
    say(`${profile}: ${perSecond(lines, bare.seconds)} bare, ${perSecond(lines, ours.seconds)} Nightshift`);
  }
  await lab.clear();
  return report(profile, lines, pairs);
}

const perSecond = (lines: number, seconds: number): string => `${(lines / seconds).toFixed(0)} lines/s`;

function report(profile: Profile, lines: number, pairs: readonly Pair[]): Outcome {
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
  const number = pairs.map((_, run) => run + 1);
  const plots: Plot[] = [
    {
      name: `overhead-${profile}`,
      title: `Overhead, ${profile}: ${lines.toLocaleString("en")} short lines, upstream answers at once`,
      kind: "bar",
      x: "run",
      y: "lines/s",
      series: [
        { name: "bare loop", points: pairs.map(({ bareSeconds }, i) => [number[i] ?? 0, lines / bareSeconds]) },
        { name: "Nightshift", points: pairs.map(({ ours }, i) => [number[i] ?? 0, lines / ours.seconds]) },
      ],
    },
    {
      name: `finish-${profile}`,
      title: `Last reply to completed, ${profile}`,
      kind: "bar",
      x: "run",
      y: "s",
      series: [{ name: "Nightshift", points: finish.map((seconds, i) => [number[i] ?? 0, seconds]) }],
    },
    {
      name: `polls-overhead-${profile}`,
      title: `GET of a batch while it runs at full speed, ${profile}`,
      kind: "line",
      x: "percentile",
      y: "ms",
      series: [{ name: "GET", points: percentiles(polls) }],
    },
  ];
  return { figures, plots };
}

/** CPU of each process, the median over the runs. */
export function cpuDetails(runs: readonly BatchRun[]): Record<string, number> {
  const roles = Object.keys(runs[0]?.cpuMicroseconds ?? {}) as (keyof BatchRun["cpuMicroseconds"])[];
  return Object.fromEntries(
    roles.map((role) => [`${role}, µs CPU a line`, median(runs.map((run) => run.cpuMicroseconds[role] ?? 0))]),
  );
}

export const overhead: Benchmark = {
  name: "overhead",
  title: "short lines, the upstream answers at once (rows 1, 2, 10, 11)",
  run(session) {
    const lines = session.isFull ? 50_000 : 2_000;
    return onEachProfile((profile) => measure(session, profile, lines));
  },
};
