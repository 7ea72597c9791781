/** Cleans up what an earlier run left in the folder of a cluster: Postgres, an unfinished initdb, a stale lock file. */
import { execFile } from "node:child_process";
import { readdir, readFile, readlink, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { LocalPostgresError } from "./errors.ts";
import { dataOf } from "./home.ts";

const run = promisify(execFile);

/** How long to wait after each signal before the next, stronger one. */
const PATIENCE_MS: readonly (readonly [NodeJS.Signals, number])[] = [
  ["SIGINT", 10_000],
  ["SIGQUIT", 6_000],
  ["SIGKILL", 2_000],
];

/**
 * Stops every Postgres process that uses the folder `home`, and removes the lock file. The caller owns the data folder,
 * so a process that runs there has outlived its supervisor. Returns how many processes it stopped.
 */
export async function stopLeftovers(home: string): Promise<number> {
  const found = await processesIn(home);
  const postmaster = await pidInLockFile(home);
  let left = found;
  for (const [signal, patienceMs] of PATIENCE_MS) {
    if (left.length === 0) break;
    // Only the postmaster gets SIGINT, because SIGINT tells a backend only to cancel its query.
    const asked = signal === "SIGINT" ? left.filter((pid) => pid === postmaster) : left;
    for (const pid of asked) sendSignal(pid, signal);
    const until = performance.now() + (asked.length > 0 ? patienceMs : 0);
    while (left.length > 0 && performance.now() < until) {
      await delay(20);
      left = await processesIn(home);
    }
  }
  if (left.length > 0)
    throw new LocalPostgresError(
      `Postgres of an earlier run (pid ${left.join(", ")}) does not stop. Kill it and start again.`,
    );
  // No process uses the cluster now, so the lock file is stale. Its pid may belong to an unrelated process by now, and
  // Postgres would take that process for a running server.
  await rm(path.join(dataOf(home), "postmaster.pid"), { force: true });
  return found.length;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function processesIn(home: string): Promise<number[]> {
  return process.platform === "linux" ? processesByFolder(home) : processesByLockFile(home);
}

/** Postgres and initdb have their cluster as the working directory, and their children inherit it. */
async function processesByFolder(home: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const folder = await readlink(`/proc/${String(pid)}/cwd`).catch(() => "");
      if (folder !== home && !folder.startsWith(`${home}/`) && !folder.startsWith(`${home}.new-`)) return null;
      const name = await readFile(`/proc/${String(pid)}/comm`, "utf8").catch(() => "");
      return /^(postgres|initdb)\n$/.test(name) ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}

async function processesByLockFile(home: string): Promise<number[]> {
  const pid = await pidInLockFile(home);
  if (pid === null) return [];
  const { stdout } = await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.includes(dataOf(home)) ? [pid] : [];
}

async function pidInLockFile(home: string): Promise<number | null> {
  const text = await readFile(path.join(dataOf(home), "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  return pid > 1 ? pid : null;
}
