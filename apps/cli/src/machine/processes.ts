/** What the operating system says about processes that are not ours to hold: who is it, is it alive, end it. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const POLL_MS = 50;

/** The command line of a living process, its arguments joined by spaces; null when there is none with this pid. */
export async function commandLine(pid: number): Promise<string | null> {
  if (process.platform === "linux") {
    // A zombie has an empty command line: it is as good as gone.
    const text = await readFile(`/proc/${String(pid)}/cmdline`, "utf8").catch(() => "");
    return text === "" ? null : text.replaceAll("\0", " ").trim();
  }
  const { stdout } = await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() === "" ? null : stdout.trim();
}

/** Sends a signal; a process that has gone meanwhile is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** SIGKILL to a process that leads a group, and to what it started: a worker's further processes, the simulator. */
export function killGroup(pid: number): void {
  signalProcess(-pid, "SIGKILL");
  signalProcess(pid, "SIGKILL");
}

/** SIGTERM, and after `patienceMs` SIGKILL (with their groups), to the processes whose command line `isMeant`. Resolves when they are gone. */
export async function endProcesses(
  pids: readonly number[],
  isMeant: (commandLine: string) => boolean,
  patienceMs: number,
): Promise<number> {
  const remaining = async (): Promise<number[]> => {
    const lines = await Promise.all(pids.map(async (pid) => [pid, await commandLine(pid)] as const));
    return lines.filter(([, line]) => line !== null && isMeant(line)).map(([pid]) => pid);
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
 * Lets `end` end processes with us when this one exits without having stopped them: a second Ctrl-C, a crash. Returns
 * how to take that back once they have been stopped in order.
 */
export function endOnExit(end: () => void): () => void {
  process.once("exit", end);
  return () => process.off("exit", end);
}
