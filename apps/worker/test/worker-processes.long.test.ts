/** Tests the built worker as several processes: their start, health, metrics and shutdown. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { until, useDatabase } from "@nightshift/testing";
import {
  type Child,
  findProcesses,
  makeTemporaryFolder,
  programEnvironment,
  startChild,
} from "@nightshift/testing/stack";

const database = useDatabase();

let folder: string;
let mark: string;
let worker: Child;

beforeEach(async () => {
  folder = await makeTemporaryFolder("worker-processes");
  mark = randomBytes(6).toString("hex");
});

afterEach(async () => {
  await worker.stop(20_000);
  expect(await findProcesses(mark)).toEqual([]);
  await rm(folder, { recursive: true });
});

/** Starts a worker without a configured upstream. */
function startWorker(variables: Readonly<Record<string, string>>): void {
  const env = { DATABASE_URL: database.url(), NIGHTSHIFT_DATA_DIR: path.join(folder, "data"), PORT: "0", ...variables };
  worker = startChild({
    main: "apps/worker/dist/main.js",
    args: ["--data-dir", folder],
    env: programEnvironment(env, mark),
    logFile: path.join(folder, "worker.log"),
  });
}

async function workingPids(): Promise<number[]> {
  const { rows } = await database.db().query<{ pid: number }>("select pid from workers order by pid");
  return rows.map(({ pid }) => pid);
}

async function commands(): Promise<string[]> {
  return (await findProcesses(mark)).map(({ command }) => command.replace(/^\S+ (\S+\/)?apps\//, "apps/"));
}

test("serves all processes at one address, with one simulator, and stops them together", async () => {
  startWorker({ WORKER_PROCESSES: "2" });
  const url = await worker.listening();

  const pids = await workingPids();
  const ready = await fetch(`${url}/readyz`);
  const metrics = await (await fetch(`${url}/metrics`)).text();

  expect(pids).toHaveLength(2);
  expect(pids).not.toContain(worker.pid);
  expect(await ready.json()).toEqual({
    status: "ready",
    checks: { "process 1": { ok: true }, "process 2": { ok: true } },
  });
  for (const number of ["1", "2"]) {
    expect(metrics).toMatch(new RegExp(`^nightshift_unrecorded_bytes\\{process="${number}"\\} 0$`, "m"));
    expect(metrics).toMatch(new RegExp(`^process_start_time_seconds\\{process="${number}"\\} \\d+`, "m"));
  }
  expect(metrics.match(/^# TYPE nightshift_lines_in_flight gauge$/gm)).toHaveLength(1);
  const program = `apps/worker/dist/main.js --data-dir ${folder}`;
  expect((await commands()).sort()).toEqual([expect.stringContaining("apps/simulator/"), program, program, program]);

  expect(await worker.stop(20_000)).toBe(0);
  expect(await workingPids()).toEqual([]);
});

test("is not ready while a killed process restarts, and names the process", async () => {
  startWorker({ WORKER_PROCESSES: "2" });
  const url = await worker.listening();
  const [victim = 0] = await workingPids();

  process.kill(victim, "SIGKILL");
  const fault = await until(
    async () => {
      const reply = await fetch(`${url}/readyz`);
      return reply.status === 503 && reply.text();
    },
    { message: "the worker is not ready" },
  );
  await until(async () => (await fetch(`${url}/readyz`)).ok, { message: "it is ready again", timeoutMs: 30_000 });

  expect(fault).toContain('"ok":false');
  expect(await worker.logs()).toContain("a worker process ended by SIGKILL; restarting it");
});

test("reports a wrong variable once, and restarts nothing", async () => {
  startWorker({ WORKER_PROCESSES: "none" });
  await expect(worker.listening()).rejects.toThrow("ended (1) at its start");

  expect(await worker.logs()).toBe(
    'The worker cannot start. Fix these environment variables:\n  WORKER_PROCESSES  got "none", expected a number of processes, from 1 to 256\n',
  );
});

test("reports wrongly configured stores once, by the first process", async () => {
  startWorker({ WORKER_PROCESSES: "3", S3_ENDPOINT: "http://127.0.0.1:9", UPSTREAM_BASE_URL: "http://127.0.0.1:9/v1" });
  await expect(worker.listening()).rejects.toThrow("ended (1) at its start");

  expect((await worker.logs()).match(/S3_ENDPOINT is set but S3_BUCKET is not/g)).toHaveLength(1);
  expect(await worker.logs()).toContain("Worker process 1 could not be started; see the lines above.");
});
