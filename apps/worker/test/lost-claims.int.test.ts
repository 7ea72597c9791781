/** Claims whose answer was lost: the ledger has an owner for the slice, and no job runs it. */
import { expect, test } from "@jest/globals";
import { ownedSlices, waitingSlices } from "@nightshift/db";
import { createLogger } from "@nightshift/service";
import { useDatabase } from "@nightshift/testing";
import { createLostClaims } from "../src/ledger/lost-claims.ts";
import { claimedBatch } from "./line-fixture.ts";

const database = useDatabase();
const logger = createLogger({ name: "test", level: "silent" });

test("what nobody runs is freed under a new gen when it is seen a second time; what is in hand stays", async () => {
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

test("what another worker has is not looked at", async () => {
  const db = database.db();
  const { worker } = await claimedBatch(db, 3);
  const lost = createLostClaims({ db, logger, workerId: () => "somebody else", claims: { isHeld: () => false } });

  expect([await lost.look(), await lost.look()]).toEqual([0, 0]);
  expect(await ownedSlices(db, worker)).toHaveLength(1);
});
