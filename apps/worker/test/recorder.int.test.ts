/**
 * Tests invariant 3: a result is durable before its job is done. An unavailable store delays results but loses none.
 */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { outputExtents, type Recorded, storedLines, waitingSlices } from "@nightshift/db";
import { createLogger } from "@nightshift/service";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { makeTemporaryFolder, until, useDatabase } from "@nightshift/testing";
import type { LineTask } from "../src/steps/send/line-task.ts";
import { createRecorder, type Recorder } from "../src/steps/record/recorder.ts";
import type { FinishedLine } from "../src/steps/record/lines.ts";
import { claimedBatch } from "./line-fixture.ts";

const database = useDatabase();
let folder: string;
let objects: ObjectStore;

beforeAll(async () => {
  folder = await makeTemporaryFolder("recorder");
  objects = openFolderStore({ root: folder });
  await objects.ready();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface RecorderUnderTest extends Recorder {
  readonly flushes: { recorded: Recorded; lines: number }[];
  /** While set, each put fails with this error. */
  failure: Error | null;
  puts: number;
}

function openRecorder(hasMoreInHand = false): RecorderUnderTest {
  const state: Omit<RecorderUnderTest, keyof Recorder> = { flushes: [], failure: null, puts: 0 };
  const recorder = createRecorder({
    db: database.db(),
    objects: {
      ...objects,
      put: async (key, body) => {
        state.puts += 1;
        if (state.failure !== null) throw state.failure;
        return objects.put(key, body);
      },
    },
    logger: createLogger({ name: "test", level: "silent" }),
    clock: () => new Date(),
    inHand: { has: () => hasMoreInHand },
    events: {
      recorded(recorded, finished) {
        state.flushes.push({ recorded, lines: finished.length });
      },
    },
  });
  return Object.assign(state, recorder);
}

function finished(task: LineTask | undefined, text: string): FinishedLine {
  if (task === undefined) throw new Error("there is no such line");
  return {
    task,
    outcome: {
      kind: "done",
      resultKind: "output",
      line: { pieces: [Buffer.from(text)], length: Buffer.byteLength(text) },
      usage: null,
      exhaustedBy: null,
    },
  };
}

test("resolves when the bytes of the result are at the place in the ledger", async () => {
  const batch = await claimedBatch(database.db(), 2);
  const recorder = openRecorder();

  await recorder.finish(finished(batch.tasks[1], "one\n"));

  const [stored] = await storedLines(database.db(), batch, "output");
  expect(stored?.line).toBe(1);
  const { key = "", offset = 0, length = 0 } = stored ?? {};
  expect((await objects.read(key, { start: offset, end: offset + length })).toString()).toBe("one\n");
});

test("writes lines that finish together as one object in one transaction, even for several batches", async () => {
  const batches = [await claimedBatch(database.db(), 20), await claimedBatch(database.db(), 20)];
  const recorder = openRecorder(true);

  await Promise.all(batches.flatMap(({ tasks }) => tasks.map((task) => recorder.finish(finished(task, "x\n")))));

  expect(recorder.puts).toBe(1);
  expect(recorder.flushes).toMatchObject([
    { lines: 40, recorded: { sealed: batches.map(({ batchNo: number }) => number) } },
  ]);
  for (const { batchNo: number } of batches)
    expect(await outputExtents(database.db(), number)).toMatchObject([{ length: 40 }]);
});

test("keeps results while the object store is unavailable, and records none without its bytes", async () => {
  const batch = await claimedBatch(database.db(), 2);
  const recorder = openRecorder();
  recorder.failure = new Error("the store is unavailable");
  let isDone = false;
  const recorded = recorder.finish(finished(batch.tasks[0], "kept\n")).then(() => {
    isDone = true;
  });

  await until(() => recorder.puts >= 2, { message: "the put is repeated" });
  expect(isDone).toBe(false);
  expect((await batch.view())?.completed).toBe(0);

  recorder.failure = null;
  await recorded;
  expect((await batch.view())?.completed).toBe(1);
});

test("returns lines to the ledger without an object", async () => {
  const batch = await claimedBatch(database.db(), 3);
  const recorder = openRecorder();
  const back = (i: number, hasBurnedAttempt: boolean): Promise<void> => {
    const task = batch.tasks[i];
    if (task === undefined) throw new Error("there is no such line");
    return recorder.giveBack({ task, hasBurnedAttempt, delayMs: 0 });
  };

  await Promise.all([back(0, false), back(1, false), back(2, true)]);

  expect(recorder.puts).toBe(0);
  const waiting = (await waitingSlices(database.db(), 100)).filter(({ upstream }) => upstream === batch.upstream);
  expect(waiting).toHaveLength(2);
  expect(recorder.flushes.flatMap(({ recorded }) => recorded.slices)).toHaveLength(2);
});

test("resolves idle when all lines are recorded", async () => {
  const batch = await claimedBatch(database.db(), 5);
  const recorder = openRecorder(true);
  await recorder.idle();
  for (const task of batch.tasks) void recorder.finish(finished(task, "x\n"));

  recorder.flushNow();
  await recorder.idle();

  expect(await batch.view()).toMatchObject({ completed: 5, sealedAs: "done" });
});
