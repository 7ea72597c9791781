/** `npm run bench`: runs benchmarks on one laboratory and reports what they found. */
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { availableProfiles } from "@nightshift/testing/stack";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Benchmark } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks/index.ts";
import { prepareProfiles, reportProfiles } from "./profile/profiling.ts";
import { describeMachine, readCommit } from "./report/machine.ts";
import { renderPlot, writePlots } from "./report/plots.ts";
import { mergeResults, readResults, recordOutcome, writeResults, type RecordedFigure } from "./report/results.ts";
import { printTable, writeTable } from "./report/table.ts";
import { openLaboratory, type Laboratory } from "./setting/laboratory.ts";

const REPOSITORY = path.resolve(import.meta.dirname, "../../..");
const DEFAULT_RUNS = 5;
/** How the shell is told that the command itself was wrong, as other tools do. */
const USAGE_EXIT_CODE = 2;
const INTERRUPTED_EXIT_CODE = 130;
/** A stack starts within this, on a machine that is not too busy. */
const STARTING_MS = 20_000;

interface Options {
  readonly runs: number;
  readonly smoke: boolean;
  readonly profile: boolean;
  readonly out: string;
}

interface Settings extends Options {
  /** As it was at the start: results that are written make the clone differ from it. */
  readonly commit: string;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It is no positive integer.");
  return Number(text);
}

/** Aborts at the first signal; a second one ends this process at once, and what it started sees that it is gone. */
function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    print("Stopping; once more stops at once.");
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return controller.signal;
}

/** Runs the benchmarks one after the other, and resolves with whether each of them came to its end. */
async function runAll(
  lab: Laboratory,
  benchmarks: readonly Benchmark[],
  settings: Settings,
  interrupted: AbortSignal,
): Promise<boolean> {
  const figures: RecordedFigure[] = [];
  const isStopping = (): boolean => interrupted.aborted;
  let areAllDone = true;
  for (const benchmark of benchmarks) {
    if (isStopping()) return false;
    const begun = performance.now();
    const say = (sentence: string): void => {
      const seconds = (performance.now() - begun) / 1_000;
      print(`${benchmark.name}, ${seconds.toFixed(1)} s: ${sentence}`);
    };
    try {
      say(benchmark.title);
      figures.push(...(await runOne(lab, benchmark, settings, say)));
      say("done");
    } catch (error) {
      // What fails because we were told to stop is nothing to tell.
      if (isStopping()) return false;
      areAllDone = false;
      say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    await lab.clear();
  }
  print(`\n${printTable(figures)}`);
  return areAllDone;
}

/** What it finds is written as soon as it is there: a run of all of them takes long. */
async function runOne(
  lab: Laboratory,
  benchmark: Benchmark,
  settings: Settings,
  say: (sentence: string) => void,
): Promise<readonly RecordedFigure[]> {
  const profiles = path.resolve("bench-profiles", benchmark.name);
  const env = settings.profile ? await prepareProfiles(profiles) : {};
  const outcome = await benchmark.run({ lab, runs: settings.runs, isFull: !settings.smoke, env, say });
  const plots = new Map<string, string>();
  for (const plot of outcome.plots) plots.set(plot.name, await renderPlot(plot));
  const at = { date: new Date().toISOString(), commit: settings.commit, machine: describeMachine() };
  const recorded = recordOutcome(benchmark.name, outcome, at);
  if (settings.profile) {
    await lab.clear();
    print(`\n${await reportProfiles(profiles)}`);
  } else if (!settings.smoke) {
    const file = path.join(settings.out, "performance/results.json");
    const results = mergeResults(await readResults(file), recorded);
    await writeResults(file, results);
    await writePlots(path.join(settings.out, "images/performance"), plots);
    await writeTable(path.join(settings.out, "performance.md"), results);
  }
  return recorded.figures;
}

/** Once told to stop: ends what runs, and waits for a stack that is only starting to become one that can be ended. */
async function breakOff(lab: Laboratory, all: Promise<unknown>, interrupted: AbortSignal): Promise<false> {
  if (!interrupted.aborted) await once(interrupted, "abort");
  await lab.clear();
  await Promise.race([all, sleep(STARTING_MS)]);
  return false;
}

async function measure(names: readonly string[], settings: Settings, interrupted: AbortSignal): Promise<boolean> {
  const chosen = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const lab = await openLaboratory();
  try {
    if (!availableProfiles().includes("scaled")) {
      print("The scaled profile is left out: it wants Redis and S3, and this machine lacks one of them.");
    }
    const all = runAll(lab, chosen, settings, interrupted);
    return await Promise.race([all, breakOff(lab, all, interrupted)]);
  } finally {
    await lab.close();
  }
}

async function bench(names: readonly string[], options: Options): Promise<void> {
  const interrupted = listenForSignals();
  const runs = options.smoke ? 1 : options.runs;
  const settings = { ...options, runs, commit: await readCommit(REPOSITORY) };
  try {
    process.exitCode = (await measure(names, settings, interrupted)) ? 0 : 1;
  } catch (error) {
    if (!interrupted.aborted) throw error;
    print(`Not everything stopped in order. ${error instanceof Error ? error.message : String(error)}`);
  }
  if (interrupted.aborted) process.exit(INTERRUPTED_EXIT_CODE);
}

const known = BENCHMARKS.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join("\n");
const program = new Command("npm run bench --")
  .description("Measures Nightshift beside its baselines and writes the figures, a table and plots into docs.")
  .addArgument(
    new Argument("[names...]", "which benchmarks (default: all)").choices(BENCHMARKS.map(({ name }) => name)),
  )
  .addOption(new Option("--runs <n>", "measurements of each figure").default(DEFAULT_RUNS).argParser(positiveInteger))
  .option("--smoke", "run everything once and small, to see that it runs; writes nothing", false)
  .option("--profile", "write a profile and a flame graph of each process of Nightshift, and nothing else", false)
  .option("--out <dir>", "where the results go", path.join(REPOSITORY, "docs"))
  .addHelpText("after", `\nBenchmarks:\n${known}`)
  .exitOverride()
  .action(bench);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
}
