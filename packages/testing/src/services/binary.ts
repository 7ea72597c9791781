/** Finds server programs that are installed on this machine, and runs them for a test run. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../free-port.ts";

/** A running server. */
export interface RunningBinary {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/**
 * Finds a program on the PATH or in ~/.cache/nightshift/bin, where `.ci/run` installs MinIO. Returns null if it is
 * missing.
 */
export async function findBinary(name: string): Promise<string | null> {
  const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), path.join(homedir(), ".cache/nightshift/bin")];
  for (const folder of folders) {
    const file = path.join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return null;
}

/** The program to start, and the check that it is ready. */
export interface BinaryOptions {
  readonly file: string;
  readonly args: (port: number) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Checks whether the server is ready. Rejects or resolves with false while it is not. */
  readonly isReady: (port: number) => Promise<boolean>;
}

const STARTS = 3;
const READY_WITHIN_MS = 20_000;

/**
 * Starts a server on a free port and waits up to 20 s until it is ready. Tries another port if another process takes
 * the first one.
 */
export async function startBinary(options: BinaryOptions): Promise<RunningBinary> {
  for (let start = 1; ; start += 1) {
    try {
      return await startOnce(options, await freePort());
    } catch (error) {
      if (start === STARTS) throw error;
    }
  }
}

async function startOnce(options: BinaryOptions, port: number): Promise<RunningBinary> {
  const child = spawn(options.file, options.args(port), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  let output = "";
  const keepTail = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout.on("data", keepTail);
  child.stderr.on("data", keepTail);
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL"); // its data is deleted anyway
    await exited;
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await options.isReady(port).catch(() => false))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`${options.file} did not start:\n${output}`);
    }
    await sleep(20);
  }
  return { port, stop };
}
