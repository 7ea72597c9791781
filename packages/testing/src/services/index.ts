/**
 * Starts and stops the services of a test run, in jest's globalSetup and globalTeardown. Tests read their addresses
 * with `testServices`.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import type { KeeperReport } from "../keeper/report.ts";
import { CAN_FIND_PROCESSES, findProcesses, markedEnvironment } from "../processes.ts";
import { until } from "../until.ts";

interface Run {
  readonly id: string;
  readonly keeper: ChildProcess;
}

export interface ServicesOptions {
  /** Makes the services write to disk as in production. Benchmarks set it. */
  readonly isDurable?: boolean;
}

const run: { current?: Run } = {};

/**
 * Finds or starts Postgres, Redis and S3, and puts their addresses into the environment, which jest's workers inherit.
 * For each missing service it writes one sentence to the file TEST_LEFT_OUT_FILE. With TEST_REQUIRE_ALL=1 a missing
 * service is an error.
 */
export async function startTestServices({ isDurable = false }: ServicesOptions = {}): Promise<void> {
  const id = randomBytes(4).toString("hex");
  const keeper = fork(new URL("../keeper/main.js", import.meta.url), [id], {
    detached: true, // Ctrl-C must reach jest only, which then releases the keeper
    env: markedEnvironment({ ...process.env, ...(isDurable ? { TEST_DURABLE: "1" } : {}) }, id),
  });
  run.current = { id, keeper };
  const [report] = (await Promise.race([once(keeper, "message"), rejectOnExit(keeper)])) as [KeeperReport];
  if (report.kind === "failed") {
    await stopTestServices();
    throw new Error(`The services for the tests did not start.\n${report.message}`);
  }
  if (report.missing.length > 0 && process.env["TEST_REQUIRE_ALL"] === "1") {
    await stopTestServices();
    throw new Error(`TEST_REQUIRE_ALL is set, but this machine lacks:\n${report.missing.join("\n")}`);
  }
  const leftOutFile = process.env["TEST_LEFT_OUT_FILE"];
  if (leftOutFile) await appendFile(leftOutFile, report.missing.map((sentence) => `${sentence}\n`).join(""));
  Object.assign(process.env, report.variables, { TEST_RUN_ID: id });
}

/** Stops the services. Rejects with a list when processes of this run's tests are still running 5 s later. */
export async function stopTestServices(): Promise<void> {
  const { current } = run;
  if (current === undefined) return;
  delete run.current;
  const { id, keeper } = current;
  if (keeper.exitCode === null && keeper.signalCode === null) {
    const exited = once(keeper, "exit");
    if (keeper.connected) keeper.disconnect();
    await exited;
  }
  if (!CAN_FIND_PROCESSES) {
    process.stderr.write("Not checked, because this is not Linux: whether tests left processes running.\n");
    return;
  }
  try {
    await until(async () => (await findProcesses(id)).length === 0, {
      message: "all processes of the run end",
      timeoutMs: 5000,
    });
  } catch (error) {
    const left = await findProcesses(id);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    const list = left.map(({ pid, command }) => `${String(pid)} ${command}`).join("\n");
    throw new Error(`Tests left processes behind (killed now):\n${list}`, { cause: error });
  }
}

async function rejectOnExit(keeper: ChildProcess): Promise<never> {
  const [code] = (await once(keeper, "exit")) as [number | null];
  throw new Error(`The keeper of the test services ended early (${String(code)}).`);
}
