/** Finds and ends processes by pid, through the operating system. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const POLL_MS = 50;

/**
 * Returns the command line of a running process, with its arguments joined by spaces. Returns null if no process has
 * this pid.
 */
export async function commandLine(pid: number): Promise<string | null> {
  if (process.platform === "linux") {
    // A zombie has an empty command line, and counts as ended.
    const text = await readFile(`/proc/${String(pid)}/cmdline`, "utf8").catch(() => "");
    return text === "" ? null : text.replaceAll("\0", " ").trim();
  }
  const { stdout } = await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() === "" ? null : stdout.trim();
}

/** Sends a signal. Does nothing if the process has already ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Kills a process that leads a process group, and the group: a worker's other processes and the simulator. */
export function killGroup(pid: number): void {
  signalProcess(-pid, "SIGKILL");
  signalProcess(pid, "SIGKILL");
}

/**
 * Sends SIGTERM to the processes whose command line `isTarget` accepts, and SIGKILL to their groups after `patienceMs`.
 * Resolves when they have ended.
 */
export async function endProcesses(
  pids: readonly number[],
  isTarget: (commandLine: string) => boolean,
  patienceMs: number,
): Promise<number> {
  const remaining = async (): Promise<number[]> => {
    const lines = await Promise.all(pids.map(async (pid) => [pid, await commandLine(pid)] as const));
    return lines.filter(([, line]) => line !== null && isTarget(line)).map(([pid]) => pid);
  };
  const found = await remaining();
  for (const pid of found) signalProcess(pid, "SIGTERM");
  const started = performance.now();
  let isKilled = false;
  for (let left = found; left.length > 0; left = await remaining()) {
    if (!isKilled && performance.now() - started >= patienceMs) {
      left.forEach(killGroup);
      isKilled = true;
    }
    await delay(POLL_MS);
  }
  return found.length;
}

/**
 * Calls `end` if this process exits without a clean stop, as after a second Ctrl-C or a crash. Call the returned
 * function after a clean stop.
 */
export function endOnExit(end: () => void): () => void {
  process.once("exit", end);
  return () => process.off("exit", end);
}
