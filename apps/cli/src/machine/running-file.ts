/**
 * Reads and writes `running.json` in the data folder. Other commands find the server in it, and the next start finds
 * leftover processes.
 */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { commandLine } from "./processes.ts";
import { isSupervisor } from "./programs.ts";

const RunningRecord = Type.Object({
  /** The pid of the supervisor. */
  pid: Type.Integer(),
  /** The URL of the API, without a path. Null while the API starts. */
  url: Type.Union([Type.String(), Type.Null()]),
  /** Pids of the programs. They keep running if the supervisor is killed. */
  programs: Type.Array(Type.Integer()),
});

export type RunningRecord = Static<typeof RunningRecord>;

const fileIn = (dataDir: string): string => path.join(dataDir, "running.json");

/** Returns the last written record, which may be outdated. Returns null if the file is missing or not valid. */
export async function readRunning(dataDir: string): Promise<RunningRecord | null> {
  const text = await readFile(fileIn(dataDir), "utf8").catch(() => "null");
  try {
    const record: unknown = JSON.parse(text);
    return Value.Check(RunningRecord, record) ? record : null;
  } catch {
    // Only an older version or an editor can leave a partial file, so it is ignored.
    return null;
  }
}

/** Returns the record if the supervisor that wrote it is another running process. Otherwise returns null. */
export async function readAliveSupervisor(dataDir: string): Promise<RunningRecord | null> {
  const record = await readRunning(dataDir);
  if (record === null || record.pid === process.pid) return null;
  const line = await commandLine(record.pid);
  return line !== null && isSupervisor(line) ? record : null;
}

export async function writeRunning(dataDir: string, record: RunningRecord): Promise<void> {
  const draft = `${fileIn(dataDir)}.new`;
  await writeFile(draft, `${JSON.stringify(record)}\n`);
  await rename(draft, fileIn(dataDir));
}

export async function removeRunning(dataDir: string): Promise<void> {
  await rm(fileIn(dataDir), { force: true });
}
