/** The fixtures of this package's tests: folders, queries, and Postgres processes that end with the test. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { startLocalPostgres, type LocalPostgres, type LocalPostgresOptions } from "../src/index.ts";

const closers: (() => Promise<void> | void)[] = [];

/** Cleans up what the test created, in reverse order. Call it in afterEach. */
export async function cleanUp(): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

export function onCleanUp(close: () => Promise<void> | void): void {
  closers.push(close);
}

/**
 * Creates a folder that every account ("open") or only this one ("closed", like /root) can enter. The clean-up removes
 * the folder and its cluster.
 */
export function makeFolder(access: "open" | "closed"): string {
  const folder = mkdtempSync(path.join(tmpdir(), "nightshift-local-postgres-"));
  chmodSync(folder, access === "open" ? 0o755 : 0o700);
  onCleanUp(() => {
    removeSystemCluster(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Removes the folder's cluster under /var/lib/nightshift, if it has one. */
export function removeSystemCluster(dir: string): void {
  const idFile = path.join(dir, "postgres-id");
  if (!existsSync(idFile)) return;
  const [id] = readFileSync(idFile, "utf8").split(" ");
  for (const name of [id, `${String(id)}.data-folder`]) {
    rmSync(`/var/lib/nightshift/clusters/${String(name)}`, { recursive: true, force: true });
  }
}

export async function start(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const running = await startLocalPostgres(options);
  onCleanUp(() => running.stop());
  return running;
}

/** Returns the first column of the first row. */
export async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: statement, rowMode: "array" });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

/** Writes a value that shows whether a later start uses the same data. */
export async function leaveMark(url: string): Promise<void> {
  await ask(url, "create table mark as select 42 as answer");
}

export async function readMark(url: string): Promise<unknown> {
  return ask(url, "select answer from mark");
}

/** Reports whether a process runs. Returns false for a zombie that its new parent has not reaped yet. */
export function isRunning(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    // ps fails if the process does not exist.
    return false;
  }
}
