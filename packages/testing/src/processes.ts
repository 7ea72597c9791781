/**
 * Finds the processes that tests started, and all their descendants, by a mark in their environment. It reads /proc, so
 * it works on Linux only.
 */
import { readdir, readFile, readlink } from "node:fs/promises";

const MARK = "TEST_SPAWNED_BY";

/** TCP_LISTEN, as /proc/net/tcp prints it. */
const LISTENING = "0A";

/** A process that carries a mark. */
export interface MarkedProcess {
  readonly pid: number;
  /** The command line, as ps shows it. */
  readonly command: string;
  /** The environment that the process was started with. */
  readonly environment: ReadonlyMap<string, string>;
}

/** True if this system has a /proc to find processes in. */
export const CAN_FIND_PROCESSES = process.platform === "linux";

/** Throws if this system has no /proc. A search that finds nothing would let tests of crashes and leaks pass. */
export function requireProcessSearch(): void {
  if (CAN_FIND_PROCESSES) return;
  throw new Error(
    "This test finds processes in /proc, which only Linux has. Run it in a Linux container or virtual machine.",
  );
}

/**
 * Returns an environment for a child whose descendants can be found under `mark`. Marks nest: a process with the mark
 * `run stack` is found under both.
 */
export function markedEnvironment(env: NodeJS.ProcessEnv, mark: string): NodeJS.ProcessEnv {
  return { ...env, [MARK]: mark };
}

/** Returns all living processes that carry `mark`. Throws outside of Linux. */
export async function findProcesses(mark: string): Promise<MarkedProcess[]> {
  requireProcessSearch();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => readProcess(pid, mark)));
  return found.filter((one) => one !== null);
}

/** Returns the most memory that a process ever held (VmHWM of Linux), in bytes; null after the process has ended. */
export async function peakRssBytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** Returns the TCP ports of IPv4 that a process listens on; none after the process has ended. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const folder = `/proc/${String(pid)}`;
  const descriptors = await readdir(`${folder}/fd`).catch(() => []);
  const links = await Promise.all(descriptors.map((one) => readlink(`${folder}/fd/${one}`).catch(() => "")));
  const table = await readFile(`${folder}/net/tcp`, "utf8").catch(() => "");
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTENING && links.includes(`socket:[${inode ?? ""}]`))
    .map(([, address]) => Number.parseInt(address?.split(":")[1] ?? "", 16));
}

async function readProcess(pid: number, mark: string): Promise<MarkedProcess | null> {
  try {
    const folder = `/proc/${String(pid)}`;
    const environ = await readFile(`${folder}/environ`, "utf8");
    if (!environ.includes(mark)) return null; // skips parsing, because tests poll this and most processes are not ours
    const commandLine = await readFile(`${folder}/cmdline`, "utf8");
    if (commandLine === "") return null; // a zombie has no command line
    const pairs = environ.split("\0").map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
    const environment = new Map(pairs);
    if (!environment.get(MARK)?.split(" ").includes(mark)) return null;
    return { pid, command: commandLine.split("\0").join(" ").trim(), environment };
  } catch {
    return null; // the process has ended, or belongs to another user
  }
}
