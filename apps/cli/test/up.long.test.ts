import { existsSync, readFileSync, statSync } from "node:fs";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { until } from "@nightshift/testing";
import { makeDataFolder, runCommand, startCommand, type Command } from "./command.ts";

const REQUESTS = path.resolve(import.meta.dirname, "../../../examples/requests.jsonl");

interface Running {
  readonly pid: number;
  readonly url: string;
  readonly programs: readonly number[];
}

let dataDir: string;
let started: Command[];
beforeEach(async () => {
  dataDir = await makeDataFolder();
  started = [];
});
afterEach(async () => {
  for (const { child } of started) child.kill("SIGTERM");
  await Promise.all(started.map(({ ended }) => ended));
  await rm(path.dirname(dataDir), { recursive: true });
});

async function startService(): Promise<{ command: Command; running: Running }> {
  const command = startCommand(["up"], { PORT: "0", NIGHTSHIFT_DATA_DIR: dataDir });
  started.push(command);
  await command.untilSaid("or do all steps at once");
  return { command, running: readRunning() };
}

function readRunning(): Running {
  return JSON.parse(readFileSync(path.join(dataDir, "running.json"), "utf8")) as Running;
}

function isAlive(pid: number): boolean {
  // A zombie that its new parent has not reaped yet has an empty command line.
  return existsSync(`/proc/${String(pid)}`) && readFileSync(`/proc/${String(pid)}/cmdline`, "utf8") !== "";
}

async function isReady(url: string): Promise<boolean> {
  return (await fetch(`${url}/readyz`)).ok;
}

test("shows its URL and key, answers, keeps its secrets private, and shuts down cleanly", async () => {
  const { command, running } = await startService();

  const key = readFileSync(path.join(dataDir, "key"), "utf8").trim();
  expect(command.said()).toContain(`${running.url}/v1`);
  expect(command.said()).toContain(key);
  expect(command.said()).toContain("simulator answers, not a model");
  expect(await isReady(running.url)).toBe(true);
  for (const name of ["key", "admin-key"]) expect(statSync(path.join(dataDir, name)).mode & 0o777).toBe(0o600);

  command.child.kill("SIGTERM");
  const { code, stdout } = await command.ended;

  expect(code).toBe(0);
  expect(stdout).toContain("Stopped.");
  expect(running.programs.filter(isAlive)).toEqual([]);
  expect(existsSync(path.join(dataDir, "running.json"))).toBe(false);
});

test("rejects a second service on the same data folder, and other commands use the first one", async () => {
  const { running } = await startService();

  const second = await runCommand(["up"], { PORT: "0", NIGHTSHIFT_DATA_DIR: dataDir });
  const run = await runCommand(["run", REQUESTS], { NIGHTSHIFT_DATA_DIR: dataDir });

  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`pid ${String(running.pid)} runs at ${running.url}`);
  expect(run.code).toBe(0);
  expect(run.stderr).not.toContain("Starting Nightshift");
  expect(run.stdout.trimEnd().split("\n")).toHaveLength(3);
});

test("rejects a port in use before starting anything", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const port = String((other.address() as AddressInfo).port);

  const { code, stderr } = await runCommand(["up"], { PORT: port, NIGHTSHIFT_DATA_DIR: dataDir });
  other.close();

  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port} is in use by`);
  expect(existsSync(path.join(dataDir, "postgres"))).toBe(false);
});

test("rejects faulty variables and lists all faults", async () => {
  const env = { PORT: "many", NIGHTSHIFT_DATADIR: dataDir, NIGHTSHIFT_DATA_DIR: dataDir };

  const { code, stderr } = await runCommand(["up"], env);

  expect(code).toBe(1);
  expect(stderr).toContain("PORT");
  expect(stderr).toContain("did you mean NIGHTSHIFT_DATA_DIR?");
});

test("restarts a killed program at the same URL", async () => {
  const { command, running } = await startService();
  const [api = 0] = running.programs;

  process.kill(api, "SIGKILL");
  await command.untilSaid("restarting it");
  await until(() => isReady(running.url), { message: "the API is ready again", timeoutMs: 30_000 });

  expect(readRunning().programs).not.toContain(api);
});

test("restarts a killed Postgres, and the programs reconnect", async () => {
  const { command, running } = await startService();
  const lockFile = path.join(dataDir, "postgres", "cluster", "data", "postmaster.pid");

  process.kill(Number.parseInt(readFileSync(lockFile, "utf8"), 10), "SIGKILL");
  await command.untilSaid("Postgres ended by SIGKILL");
  await until(() => isReady(running.url), { message: "the database is available again", timeoutMs: 30_000 });

  expect(readRunning().programs).toEqual(running.programs);
});

test("ends the leftover programs of a killed supervisor at the next start", async () => {
  const { command, running } = await startService();
  const key = readFileSync(path.join(dataDir, "key"), "utf8");
  command.child.kill("SIGKILL");
  await command.ended;

  const next = await startService();

  expect(running.programs.filter(isAlive)).toEqual([]);
  expect(await isReady(next.running.url)).toBe(true);
  expect(readFileSync(path.join(dataDir, "key"), "utf8")).toBe(key);
});
