/** Starts one of our programs from its build, as users start it, with its output in a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { isListening } from "@nightshift/service";
import { REPOSITORY } from "../repository.ts";
import { until } from "../until.ts";

/** A started program. It stops when the test process is killed, because the IPC channel closes. */
export interface Child {
  readonly pid: number;
  /** Resolves with the URL when the program listens. Rejects with its output if it ends first, or after 60 s. */
  readonly listening: () => Promise<string>;
  readonly isRunning: () => boolean;
  /** Returns the output so far. */
  readonly logs: () => Promise<string>;
  /** Sends SIGTERM, and SIGKILL after `graceMs`. Resolves with the exit code, or null if a signal ended the program. */
  readonly stop: (graceMs: number) => Promise<number | null>;
  readonly kill9: () => Promise<void>;
}

/** The built file to run, its arguments, its whole environment, and the file for its output. */
export interface ChildOptions {
  readonly main: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** Starts a program; its output is appended to `logFile`. */
export function startChild(options: ChildOptions): Child {
  const log = openSync(options.logFile, "a");
  const child = spawn(process.execPath, [path.join(REPOSITORY, options.main), ...(options.args ?? [])], {
    cwd: REPOSITORY,
    env: options.env,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  let url: string | undefined;
  child.on("message", (message: unknown) => {
    if (isListening(message)) url = message.url;
  });
  child.on("error", () => undefined); // appears as an exit without a code
  if (child.pid === undefined) throw new Error(`Could not start ${options.main}.`);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const logs = (): Promise<string> => readFile(options.logFile, "utf8");
  return {
    pid: child.pid,
    isRunning,
    logs,
    listening: async () => {
      await until(() => url !== undefined || !isRunning(), {
        message: `${options.main} serves`,
        timeoutMs: 60_000,
      }).catch(async (error: unknown) => {
        throw new Error(`${options.main} did not serve in time.\n${await logs()}`, { cause: error });
      });
      if (url === undefined)
        throw new Error(`${options.main} ended (${String(child.exitCode)}) at its start.\n${await logs()}`);
      return url;
    },
    stop: (graceMs) => stop(child, isRunning, graceMs),
    kill9: async () => {
      if (!isRunning()) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function stop(child: ChildProcess, isRunning: () => boolean, graceMs: number): Promise<number | null> {
  if (isRunning()) {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await exited;
    clearTimeout(timer);
  }
  return child.exitCode;
}
