/** `running.json` in the data folder: who serves it and where. Other commands find the server by it, the next start leftovers. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { commandLine } from "./processes.ts";
import { isSupervisor } from "./programs.ts";

const RunningRecord = Type.Object({
  /** The supervisor. */
  pid: Type.Integer(),
  /** Of the API, without a path; null while it is being started. */
  url: Type.Union([Type.String(), Type.Null()]),
  /** Pids of the programs, which outlive a supervisor that is killed. */
  programs: Type.Array(Type.Integer()),
});

export type RunningRecord = Static<typeof RunningRecord>;

const fileIn = (dataDir: string): string => path.join(dataDir, "running.json");

/** What was written last, whether or not it is still true; null when there is nothing or nothing sensible. */
export async function readRunning(dataDir: string): Promise<RunningRecord | null> {
  const text = await readFile(fileIn(dataDir), "utf8").catch(() => "null");
  try {
    const record: unknown = JSON.parse(text);
    return Value.Check(RunningRecord, record) ? record : null;
  } catch {
    // Only an older version or an editor can have left half a file; there is nothing to learn from it.
    return null;
  }
}

/** The record, if the supervisor that wrote it is alive (and is not this process). */
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
