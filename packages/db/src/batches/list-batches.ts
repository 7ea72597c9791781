/** Reads a page of a tenant's batches, newest first: contract §1.3. */
import type { Queryable } from "../pool.ts";
import { SELECT_BATCH, toBatchView, type BatchRow, type BatchView } from "./batch-view.ts";

export interface BatchPage {
  rows: BatchView[];
  hasMore: boolean;
}

/** `after` is exclusive; null where it names no batch of the tenant. */
export async function listBatches(
  db: Queryable,
  tenant: string,
  page: { limit: number; after: string | null },
): Promise<BatchPage | null> {
  let before: number | null = null;
  if (page.after !== null) {
    const { rows } = await db.query<{ batchNo: number }>(
      `/* batches.cursor */ select batch_no as "batchNo" from batches where tenant = $1 and id = $2`,
      [tenant, page.after],
    );
    if (rows[0] === undefined) return null;
    before = rows[0].batchNo;
  }
  const { rows } = await db.query<BatchRow>(
    `/* batches.list */ ${SELECT_BATCH}
    where b.tenant = $1 and ($2::bigint is null
      or (b.created_at, b.batch_no) < (select c.created_at, c.batch_no from batches c where c.batch_no = $2))
    order by b.created_at desc, b.batch_no desc limit $3`,
    [tenant, before, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit).map(toBatchView), hasMore: rows.length > page.limit };
}
