/** What the ledger says a worker has, for it to compare with what it has in hand. */
import { arrayLiteral } from "../array-literal.ts";
import type { Queryable } from "../pool.ts";
import type { SliceRef } from "./slice-row.ts";

/** The slices of a worker, by number. */
export async function ownedSlices(db: Queryable, worker: string): Promise<SliceRef[]> {
  const { rows } = await db.query<SliceRef>(
    `/* ledger.owned_slices */ select slice_no as "sliceNo", gen from slices where owner = $1 order by slice_no`,
    [worker],
  );
  return rows;
}

/** Frees those of `slices` that are still the worker's, under a new `gen`. Returns how many that were. */
export async function freeSlices(db: Queryable, worker: string, slices: readonly SliceRef[]): Promise<number> {
  const { rowCount } = await db.query(
    `/* ledger.free_slices */
    update slices set owner = null, gen = gen + 1
    where slice_no in (
      select s.slice_no from unnest($2::bigint[], $3::int[]) as lost (slice_no, gen)
      join slices s on s.slice_no = lost.slice_no and s.gen = lost.gen
      where s.owner = $1 order by s.slice_no for no key update of s)`,
    [worker, arrayLiteral(slices.map(({ sliceNo }) => sliceNo)), arrayLiteral(slices.map(({ gen }) => gen))],
  );
  return rowCount ?? 0;
}
