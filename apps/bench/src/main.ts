/** `npm run bench`: runs benchmarks and writes their results. */
import { once } from "node:events";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { availableProfiles } from "@nightshift/testing/stack";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Benchmark } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks/index.ts";
import { readMachine, readCommit } from "./report/machine.ts";
import { renderPlot, writePlots } from "./report/plots.ts";
import { mergeResults, readResults, recordReport, writeResults, type RecordedFigure } from "./report/results.ts";
import { terminalTable, writeTable } from "./report/table.ts";
import { openTestBed, type TestBed } from "./test-bed/test-bed.ts";

const REPOSITORY = path.resolve(import.meta.dirname, "../../..");
const DEFAULT_RUNS = 5;
/** The exit code for wrong usage, as in other command line tools. */
const USAGE_EXIT_CODE = 2;
const INTERRUPTED_EXIT_CODE = 130;
/** A stack starts within this time unless the machine is very busy. */
const STARTING_MS = 20_000;

interface Options {
  readonly runs: number;
  readonly smoke: boolean;
  readonly profile: boolean;
  readonly out: string;
}

interface Settings extends Options {
  /** The commit is read at the start, because the results that a run writes make the clone dirty. */
  readonly commit: string;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It must be a positive integer.");
  return Number(text);
}

/**
 * Aborts at the first signal. A second signal ends this process at once. The processes that it started notice this and
 * end too.
 */
function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    print("Stopping. Press Ctrl-C again to stop at once.");
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return controller.signal;
}

/** Runs the benchmarks one at a time. Resolves with false if one of them failed. */
async function runAll(
  testBed: TestBed,
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
      figures.push(...(await runOne(testBed, benchmark, settings, say)));
      say("done");
    } catch (error) {
      // The stop itself made the benchmark fail, so the error is not worth a message.
      if (isStopping()) return false;
      areAllDone = false;
      say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    await testBed.clear();
  }
  print(`\n${terminalTable(figures)}`);
  return areAllDone;
}

/** Writes the results of each benchmark as soon as it ends, because a run of all benchmarks takes long. */
async function runOne(
  testBed: TestBed,
  benchmark: Benchmark,
  settings: Settings,
  say: (sentence: string) => void,
): Promise<readonly RecordedFigure[]> {
  const profiles = path.resolve("bench-profiles", benchmark.name);
  const env = settings.profile ? await recordProfilesIn(profiles) : {};
  const report = await benchmark.run({ testBed, runs: settings.runs, isFull: !settings.smoke, env, say });
  const plots = new Map<string, string>();
  for (const plot of report.plots) plots.set(plot.name, await renderPlot(plot));
  const at = { date: new Date().toISOString(), commit: settings.commit, machine: readMachine() };
  const recorded = recordReport(benchmark.name, report, at);
  if (settings.profile) {
    await testBed.clear();
    const count = (await readdir(profiles)).length;
    say(`wrote ${String(count)} CPU profiles to ${profiles}; open them in Chrome DevTools or with npx speedscope`);
  } else if (!settings.smoke) {
    const file = path.join(settings.out, "performance/results.json");
    const results = mergeResults(await readResults(file), recorded);
    await writeResults(file, results);
    await writePlots(path.join(settings.out, "images/performance"), plots);
    await writeTable(path.join(settings.out, "performance.md"), results);
  }
  return recorded.figures;
}

/** Empties the folder, and returns the variables that make a process write its CPU profile there. */
async function recordProfilesIn(folder: string): Promise<Record<string, string>> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const hook = fileURLToPath(new URL("./programs/cpu-profile-hook.js", import.meta.url));
  return { NODE_OPTIONS: `--import=${hook}`, BENCH_PROFILE_DIR: folder };
}

/**
 * Waits for a signal, and then stops everything. If a stack is still starting, first waits until the stack can be
 * stopped.
 */
async function breakOff(testBed: TestBed, all: Promise<unknown>, interrupted: AbortSignal): Promise<false> {
  if (!interrupted.aborted) await once(interrupted, "abort");
  await testBed.clear();
  await Promise.race([all, sleep(STARTING_MS)]);
  return false;
}

async function measure(names: readonly string[], settings: Settings, interrupted: AbortSignal): Promise<boolean> {
  const chosen = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const testBed = await openTestBed();
  try {
    if (!availableProfiles().includes("scaled")) {
      print("The scaled profile is left out, because Redis or S3 is missing on this machine.");
    }
    const all = runAll(testBed, chosen, settings, interrupted);
    return await Promise.race([all, breakOff(testBed, all, interrupted)]);
  } finally {
    await testBed.close();
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
    print(`Some processes did not stop cleanly. ${error instanceof Error ? error.message : String(error)}`);
  }
  if (interrupted.aborted) process.exit(INTERRUPTED_EXIT_CODE);
}

const known = BENCHMARKS.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join("\n");
const program = new Command("npm run bench --")
  .description("Measures Nightshift against its baselines, and writes the figures, a table and plots into docs.")
  .addArgument(
    new Argument("[names...]", "benchmarks to run (default: all)").choices(BENCHMARKS.map(({ name }) => name)),
  )
  .addOption(
    new Option("--runs <n>", "number of measurements of each figure").default(DEFAULT_RUNS).argParser(positiveInteger),
  )
  .option("--smoke", "run each benchmark once with small sizes to check that it works; write nothing", false)
  .option("--profile", "write a .cpuprofile file of each process of Nightshift instead of results", false)
  .option("--out <dir>", "folder for the results", path.join(REPOSITORY, "docs"))
  .addHelpText("after", `\nBenchmarks:\n${known}`)
  .exitOverride()
  .action(bench);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
}
