/** Tests claims that share one statement: each claimed slice goes to exactly one job. */
import { expect, test } from "@jest/globals";
import type { Db } from "@nightshift/db";
import { createSliceClaims } from "./slice-claims.ts";

/** Creates claims on a ledger in which only these slices are free. */
function claimsOf(...free: readonly { readonly sliceNo: number; readonly gen: number }[]) {
  const rows = free.map((slice) => ({ ...slice, todo: "1" }));
  const db = { query: () => Promise.resolve({ rows, rowCount: rows.length }) } as unknown as Db;
  return createSliceClaims({ db, workerId: () => "w-1", clock: () => new Date(0) });
}

test("gives a freed slice to the job of its gen, even if the stale job arrives in the same turn", async () => {
  const claims = claimsOf({ sliceNo: 12, gen: 1 });

  const [stale, fresh] = await Promise.all([
    claims.claim({ sliceNo: 12, gen: 0 }),
    claims.claim({ sliceNo: 12, gen: 1 }),
  ]);

  expect(stale).toBeNull();
  expect(fresh).toMatchObject({ sliceNo: 12, gen: 1 });
});

test("claims once for a job that the queue delivers twice in one turn", async () => {
  const claims = claimsOf({ sliceNo: 12, gen: 1 });

  const claimed = await Promise.all([1, 2].map(() => claims.claim({ sliceNo: 12, gen: 1 })));

  expect(claimed.filter((slice) => slice !== null)).toHaveLength(1);
});

test("holds a claimed slice until its release, and never holds a stale one", async () => {
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
