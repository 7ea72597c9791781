/** Tests lost claims: the ledger has an owner for the slice, but no job runs it. */
import { expect, test } from "@jest/globals";
import { ownedSlices, waitingSlices } from "@nightshift/db";
import { createLogger } from "@nightshift/service";
import { useDatabase } from "@nightshift/testing";
import { createLostClaims } from "../src/maintenance/lost-claims.ts";
import { claimedBatch } from "./line-fixture.ts";

const database = useDatabase();
const logger = createLogger({ name: "test", level: "silent" });

test("frees a slice that two looks find idle, under a new gen, and keeps a slice that runs", async () => {
  const db = database.db();
  const { worker, tasks } = await claimedBatch(db, 3);
  const slice = tasks[0]!.slice;
  let isHeld = true;
  const lost = createLostClaims({ db, logger, workerId: () => worker, claims: { isHeld: () => isHeld } });

  expect([await lost.look(), await lost.look()]).toEqual([0, 0]);
  isHeld = false;
  expect(await lost.look()).toBe(0);
  expect(await ownedSlices(db, worker)).toEqual([{ sliceNo: slice.sliceNo, gen: slice.gen }]);

  expect(await lost.look()).toBe(1);
  expect(await ownedSlices(db, worker)).toEqual([]);
  expect(await waitingSlices(db, 10)).toMatchObject([{ sliceNo: slice.sliceNo, gen: slice.gen + 1 }]);
  expect(await lost.look()).toBe(0);
});

test("leaves the slices of other workers alone", async () => {
  const db = database.db();
  const { worker } = await claimedBatch(db, 3);
  const lost = createLostClaims({ db, logger, workerId: () => "another worker", claims: { isHeld: () => false } });

  expect([await lost.look(), await lost.look()]).toEqual([0, 0]);
  expect(await ownedSlices(db, worker)).toHaveLength(1);
});
