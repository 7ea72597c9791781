/** Tests workers: registration, heartbeats, slices of dead workers, turns, and partitions. */
import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createDatabase, until, useDatabase } from "@nightshift/testing";
import {
  recordHeartbeat,
  ensureLinePartition,
  freeOrphans,
  leaseUpstream,
  listWorkers,
  openDb,
  registerWorker,
  removeWorkers,
  takeTurn,
  withTx,
} from "../src/index.ts";
import {
  claimedSlice,
  feedSlices,
  newUpstream,
  newWorker,
  now,
  runningBatch,
  claimSlice,
} from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const database = useDatabase();

test("lists a worker from its registration to its removal, and counts its heartbeats", async () => {
  const id = `w-${randomUUID()}`;
  await registerWorker(database.db(), { id, host: "a host", pid: 77 });
  const seen = async (): Promise<unknown> => (await listWorkers(database.db())).find((worker) => worker.id === id);

  expect(await seen()).toEqual({ id, heartbeat: 0, host: "a host", pid: 77 });
  expect(await recordHeartbeat(database.db(), id)).toBe(true);
  expect(await seen()).toMatchObject({ heartbeat: 1 });

  await removeWorkers(database.db(), [id]);
  expect(await recordHeartbeat(database.db(), id)).toBe(false);
  expect(await seen()).toBeUndefined();
});

test("frees the slices and permits of a removed worker, and of no other worker", async () => {
  const db = database.db();
  const upstream = await newUpstream(db);
  const batch = await runningBatch(db, { total: 30, upstream });
  const [dead, alive] = [await newWorker(db), await newWorker(db)];
  for (const worker of [dead, alive]) {
    await leaseUpstream(
      db,
      upstream,
      worker,
      { wantedPermits: 1_000, ceiling: 0, wantedCredits: 0, hasWaited: false, throttled: 0, answered: 0 },
      { linesPerSecond: 0, lineMs: null },
    );
  }
  const orphan = await claimedSlice(db, batch, 10, dead);
  const kept = await claimedSlice(db, batch, 10, alive);
  await feedSlices(db, batch, [10]);
  await removeWorkers(db, [dead]);

  expect(await freeOrphans(db)).toBe(1);
  expect(await freeOrphans(db)).toBe(0);

  const { rows } = await db.query("select slice_no, owner, gen from slices where batch_no = $1 order by slice_no", [
    batch.batchNo,
  ]);
  expect(rows).toMatchObject([
    { slice_no: orphan.sliceNo, owner: null, gen: 1 },
    { slice_no: kept.sliceNo, owner: alive, gen: 0 },
    { owner: null, gen: 0 },
  ]);
  const permits = await db.query("select worker from permits where upstream = $1", [upstream]);
  expect(permits.rows).toEqual([{ worker: alive }]);
  await expectSoundLedger(db, batch.batchNo);
});

test("skips a slice that is being recorded, and frees it in the next call", async () => {
  const db = database.db();
  const batch = await runningBatch(db, { total: 10 });
  const slice = await claimedSlice(db, batch, 10);
  await removeWorkers(db, [slice.owner]);

  await withTx(db, async (tx) => {
    await tx.query("select 1 from slices where slice_no = $1 for no key update", [slice.sliceNo]);
    expect(await freeOrphans(db)).toBe(0);
  });

  expect(await freeOrphans(db)).toBe(1);
  const heir = await newWorker(db);
  expect(await claimSlice(db, heir, { sliceNo: slice.sliceNo, gen: 1 }, now)).toMatchObject({ owner: heir });
});

test("gives the turn to one of ten concurrent callers in each interval", async () => {
  const name = `turn-${randomUUID()}`;
  const ask = (everyMs: number): Promise<boolean[]> =>
    Promise.all(Array.from({ length: 10 }, () => takeTurn(database.db(), name, everyMs)));

  expect((await ask(3_600_000)).filter(Boolean)).toHaveLength(1);
  expect((await ask(3_600_000)).filter(Boolean)).toHaveLength(0);
  await database.db().query("update turns set taken_at = taken_at - interval '1 hour' where name = $1", [name]);
  expect((await ask(3_600_000)).filter(Boolean)).toHaveLength(1);
  expect(await takeTurn(database.db(), `${name} another`, 3_600_000)).toBe(true);
});

test("creates the partition of a day once in ten concurrent calls, without blocking recorders", async () => {
  const days = [40_000, 40_001];

  await Promise.all(Array.from({ length: 10 }, (_, i) => ensureLinePartition(database.db(), days[i % 2] ?? 0)));
  await ensureLinePartition(database.db(), 40_000);

  const insert = "insert into lines values ($1, 1, 1, 1, 0, 1, false, false, 0, 1)";
  for (const day of days) await database.db().query(insert, [day]);
  await expect(database.db().query(insert, [40_002])).rejects.toThrow("no partition");
  await expect(database.db().query(insert, [40_000])).rejects.toThrow("duplicate key");
});

test("creates a partition without waiting for a recorder's transaction", async () => {
  const db = openDb({ url: await createDatabase({ migrated: true }) });
  try {
    await ensureLinePartition(db, 1);
    await withTx(db, async (tx) => {
      await tx.query("insert into lines values (1, 1, 1, 1, 0, 1, false, false, 0, 1)");
      let isMade = false;
      void ensureLinePartition(db, 2).then(() => {
        isMade = true;
      });
      await until(() => isMade, { message: "the partition is made while a recorder holds its lock", timeoutMs: 3_000 });
    });
  } finally {
    await db.end();
  }
});
