/** Finds the processes that tests started, with all their descendants, by a mark in their environment. Linux only: elsewhere none are found. */
import { readdir, readFile, readlink } from "node:fs/promises";

const MARK = "TEST_SPAWNED_BY";

/** TCP_LISTEN, as /proc/net/tcp prints it. */
const LISTENING = "0A";

/** A process that carries a mark. */
export interface MarkedProcess {
  readonly pid: number;
  /** Its command line, as ps shows it. */
  readonly command: string;
  /** The environment it was started with. */
  readonly environment: ReadonlyMap<string, string>;
}

/** An environment for a child whose descendants shall be found under `mark`. Marks nest: `run stack` is found under both. */
export function markedEnvironment(env: NodeJS.ProcessEnv, mark: string): NodeJS.ProcessEnv {
  return { ...env, [MARK]: mark };
}

/** All living processes one of whose marks is `mark`. */
export async function findProcesses(mark: string): Promise<MarkedProcess[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => readProcess(pid, mark)));
  return found.filter((one) => one !== null);
}

/** The most memory that a process ever held (VmHWM of Linux), in bytes; null when it is gone. */
export async function peakRssBytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** The TCP ports of IPv4 that a process listens at; none when it is gone. */
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
    if (!environ.includes(mark)) return null; // most are somebody else's, and this is asked often
    const commandLine = await readFile(`${folder}/cmdline`, "utf8");
    if (commandLine === "") return null; // a zombie has none
    const pairs = environ.split("\0").map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
    const environment = new Map(pairs);
    if (!environment.get(MARK)?.split(" ").includes(mark)) return null;
    return { pid, command: commandLine.split("\0").join(" ").trim(), environment };
  } catch {
    return null; // ended meanwhile, or another user's
  }
}
