/** Claims that are put to the ledger together: each slice that became the worker's is run by a job. */
import { expect, test } from "@jest/globals";
import type { Db } from "@nightshift/db";
import { createSliceClaims } from "./slice-claims.ts";

/** A ledger in which these slices are free, all others taken. */
function claimsOf(...free: readonly { readonly sliceNo: number; readonly gen: number }[]) {
  const rows = free.map((slice) => ({ ...slice, todo: "1" }));
  const db = { query: () => Promise.resolve({ rows, rowCount: rows.length }) } as unknown as Db;
  return createSliceClaims({ db, workerId: () => "w-1", clock: () => new Date(0) });
}

test("a slice that was freed goes to the job of its gen, also where the stale job is there in the same turn", async () => {
  const claims = claimsOf({ sliceNo: 12, gen: 1 });

  const [stale, fresh] = await Promise.all([
    claims.claim({ sliceNo: 12, gen: 0 }),
    claims.claim({ sliceNo: 12, gen: 1 }),
  ]);

  expect(stale).toBeNull();
  expect(fresh).toMatchObject({ sliceNo: 12, gen: 1 });
});

test("a job that the queue delivers twice in one turn is run once", async () => {
  const claims = claimsOf({ sliceNo: 12, gen: 1 });

  const claimed = await Promise.all([1, 2].map(() => claims.claim({ sliceNo: 12, gen: 1 })));

  expect(claimed.filter((slice) => slice !== null)).toHaveLength(1);
});

test("a claimed slice is held until it is let go; a stale one never is", async () => {
  const slice = { sliceNo: 12, gen: 1 };
  const claims = claimsOf(slice);

  await Promise.all([claims.claim(slice), claims.claim({ sliceNo: 13, gen: 0 })]);
  expect([
    claims.isHeld(slice),
    claims.isHeld({ sliceNo: 12, gen: 0 }),
    claims.isHeld({ sliceNo: 13, gen: 0 }),
  ]).toEqual([true, false, false]);

  claims.release(slice);
  expect(claims.isHeld(slice)).toBe(false);
});
