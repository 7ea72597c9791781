/** Reads the CPU time of every process of a run, by role. Works on Linux only, because it reads /proc. */
import { readdir, readFile } from "node:fs/promises";
import { findProcesses, testServices } from "@nightshift/testing/stack";

export const ROLES = ["worker", "api", "postgres", "redis", "minio", "upstream", "bare loop"] as const;
export type Role = (typeof ROLES)[number];

const COMMANDS: readonly (readonly [RegExp, Role])[] = [
  [/apps\/worker\/dist\/main/, "worker"],
  [/apps\/api\/dist\/main/, "api"],
  [/^postgres:|postgres -D/, "postgres"],
  [/redis-server/, "redis"],
  [/minio server/, "minio"],
  [/programs\/upstream/, "upstream"],
  [/programs\/bare-loop/, "bare loop"],
];

/** Linux counts CPU time in hundredths of a second on every platform that Node supports. */
const TICK_MS = 10;

/** The user and system time of each process so far. */
export type CpuTimes = ReadonlyMap<number, { readonly role: Role; readonly ms: number }>;

export async function readCpuTimes(): Promise<CpuTimes> {
  const all = await readProcesses();
  const marked = new Set((await findProcesses(testServices().runId)).map(({ pid }) => pid));
  // Redis and Postgres overwrite the environment that carries the mark with their titles. Their parents identify them.
  const isOurs = (pid: number): boolean => {
    if (marked.has(pid)) return true;
    const parent = all.get(pid)?.parent ?? 0;
    return parent > 1 && isOurs(parent);
  };
  const times = new Map<number, { role: Role; ms: number }>();
  for (const [pid, { command, ms }] of all) {
    const role = COMMANDS.find(([pattern]) => pattern.test(command))?.[1];
    if (role !== undefined && isOurs(pid)) times.set(pid, { role, ms });
  }
  return times;
}

/** Returns the CPU time between two readings, in milliseconds by role. Leaves out processes that ended in between. */
export function cpuUsed(before: CpuTimes, after: CpuTimes): Partial<Record<Role, number>> {
  const used: Partial<Record<Role, number>> = {};
  for (const [pid, { role, ms }] of after) used[role] = (used[role] ?? 0) + ms - (before.get(pid)?.ms ?? 0);
  return used;
}

interface ProcessTimes {
  readonly parent: number;
  readonly command: string;
  readonly ms: number;
}

async function readProcesses(): Promise<Map<number, ProcessTimes>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => [Number(pid), await readProcess(pid)] as const));
  return new Map(found.flatMap(([pid, times]) => (times === null ? [] : [[pid, times] as const])));
}

/**
 * Reads fields 4, 14 and 15 of /proc/PID/stat (proc(5)). Counts the fields from the end of the name, because the name
 * may contain spaces.
 */
async function readProcess(pid: string): Promise<ProcessTimes | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), command, ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  } catch {
    return null; // The process has ended since its folder was listed.
  }
}
