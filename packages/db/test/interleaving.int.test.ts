/**
 * Tests invariant 11 under crashes and races: each line is in one place at any moment, and is counted once in the end.
 */
import { expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { exhaustedLines, outputExtents, storedLines } from "../src/index.ts";
import { newUpstream, now, runningBatch, viewOf } from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";
import { createFleet, seeded } from "./simulated-fleet.ts";

const database = useDatabase();

const STEPS = 55;
const MAX_TURNS = 60;

test.each([1, 2, 3, 4])(
  "loses no line and counts none twice while workers crash, race and repeat calls (seed %d)",
  async (seed) => {
    const db = database.db();
    const random = seeded(seed);
    const upstream = await newUpstream(db);
    const batches = [
      await runningBatch(db, { total: 150, upstream }),
      await runningBatch(db, { total: 40, upstream }),
      await runningBatch(db, { total: 3, upstream }),
    ];
    const fleet = await createFleet(db, upstream, batches);
    const check = async (): Promise<void> => {
      await Promise.all(batches.map((batch) => expectSoundLedger(db, batch.batchNo)));
    };

    for (let step = 0; step < STEPS; step += 1) {
      // Runs up to three steps at once. Each step has its own random numbers, so that the order of the steps does not
      // change their actions.
      const atOnce = Array.from({ length: 1 + Math.floor(random() * 3) }, () => seeded(random() * 2 ** 32));
      await Promise.all(atOnce.map((own) => fleet.step(own)));
      await check();
    }
    const isOpen = async (): Promise<boolean> => {
      for (const batch of batches) if ((await viewOf(db, batch.batchNo)).sealedAs === null) return true;
      return false;
    };
    for (let turn = 0; (await isOpen()) && turn < MAX_TURNS; turn += 1) {
      await fleet.workOff(random);
      await check();
    }

    expect([...fleet.sealed].sort((a, b) => a - b)).toEqual(batches.map((batch) => batch.batchNo));
    const settled = await Promise.all(batches.map((batch) => viewOf(db, batch.batchNo)));
    await fleet.repeatAll();
    for (const [i, batch] of batches.entries()) {
      const view = await viewOf(db, batch.batchNo);
      expect(view).toEqual(settled[i]);
      expect(view).toMatchObject({ status: "finalizing", sealedAs: "done" });
      const output = await storedLines(db, batch, "output");
      const failed = await storedLines(db, batch, "error");
      expect([...output, ...failed].map(({ line }) => line).sort((a, b) => a - b)).toEqual(
        Array.from({ length: batch.total }, (_, line) => line),
      );
      expect([view.completed, view.failed]).toEqual([output.length, failed.length]);
      const spent = output.reduce(
        (sum, { key, offset }) => sum + (fleet.tokens.get(`${key} ${String(offset)}`) ?? NaN),
        0,
      );
      expect(view.usage.totalTokens).toBe(spent);
      const extents = await outputExtents(db, batch.batchNo);
      expect(extents.reduce((sum, { length }) => sum + length, 0)).toBe(
        output.reduce((sum, { length }) => sum + length, 0),
      );
      await expectSoundLedger(db, batch.batchNo);
    }
    expect(await exhaustedLines(db, 10, now)).toEqual([]);
  },
);
