/**
 * Tests how dead workers are found: by their heartbeat on the observer's clock, and on the same host by their process.
 */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "@jest/globals";
import { recordHeartbeat, listWorkers, registerWorker, waitingSlices } from "@nightshift/db";
import { createLogger } from "@nightshift/service";
import { useDatabase } from "@nightshift/testing";
import { createReaper, type Reaper } from "../src/maintenance/reaper.ts";
import { claimedBatch } from "./line-fixture.ts";

const database = useDatabase();
const logger = createLogger({ name: "test", level: "silent" });

let seconds: number;
let reaper: Reaper;

beforeEach(async () => {
  await database.db().query("delete from workers");
  seconds = 1_000;
  reaper = createReaper({ db: database.db(), logger, host: "here", monotonicMs: () => seconds * 1_000 });
});

async function newWorker(host: string, pid: number): Promise<string> {
  const id = `w-${randomUUID()}`;
  await registerWorker(database.db(), { id, host, pid });
  return id;
}

async function isListed(id: string): Promise<boolean> {
  return (await listWorkers(database.db())).some((worker) => worker.id === id);
}

/** Looks once per second for that many seconds. `between` runs before each look. */
async function watch(forSeconds: number, between: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  for (let second = 0; second < forSeconds; second += 1) {
    seconds += 1;
    await between();
    await reaper.look();
  }
}

test("removes a worker after ten seconds without a heartbeat, and not earlier", async () => {
  const id = await newWorker("elsewhere", 1);
  await reaper.look();

  await watch(9);
  expect(await isListed(id)).toBe(true);

  await watch(1);
  expect(await isListed(id)).toBe(false);
});

test("keeps a worker that sends its heartbeat", async () => {
  const id = await newWorker("elsewhere", 1);
  let looks = 0;

  await watch(30, async () => {
    looks += 1;
    if (looks % 9 === 0) await recordHeartbeat(database.db(), id);
  });

  expect(await isListed(id)).toBe(true);
});

test("restarts the ten seconds after a gap in which it could not look", async () => {
  const id = await newWorker("elsewhere", 1);
  await reaper.look();
  await watch(9);

  seconds += 5;
  await reaper.look();
  await watch(9);
  expect(await isListed(id)).toBe(true);

  await watch(1);
  expect(await isListed(id)).toBe(false);
});

test("removes a worker at once if its process is gone, but only on the same host", async () => {
  const gone = spawnSync(process.execPath, ["-e", "0"]).pid;
  const [here, elsewhere, alive] = [
    await newWorker("here", gone),
    await newWorker("elsewhere", gone),
    await newWorker("here", process.pid),
  ];

  await reaper.look();

  expect(await Promise.all([here, elsewhere, alive].map(isListed))).toEqual([false, true, true]);
});

test("frees the slices of a dead worker in the look that removes it, under a new gen", async () => {
  const { worker, tasks } = await claimedBatch(database.db(), 3, spawnSync(process.execPath, ["-e", "0"]).pid);
  const other = await claimedBatch(database.db(), 2);

  expect(await reaper.look()).toBe(1);

  expect(await isListed(worker)).toBe(false);
  expect(await isListed(other.worker)).toBe(true);
  const { sliceNo, upstream } = tasks[0]?.slice ?? {};
  expect(await waitingSlices(database.db(), 10)).toMatchObject([{ sliceNo, upstream, gen: 1 }]);
  expect(await reaper.look()).toBe(0);
});
