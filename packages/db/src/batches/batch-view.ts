/** Reads batches: the row, together with its counts. */
import { type BatchError, type BatchStatus, TOKEN_COUNTERS, type TokenUsage } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";

export interface BatchView {
  /** The number that all tables refer to, in order of creation. */
  batchNo: number;
  id: string;
  tenant: string;
  endpoint: string;
  completionWindow: string;
  inputFileId: string;
  metadata: Record<string, string> | null;
  outputExpiresAfterSeconds: number | null;
  status: BatchStatus;
  model: string | null;
  errors: BatchError[] | null;
  outputFileId: string | null;
  errorFileId: string | null;
  createdAt: Date;
  /** The end of the completion window. */
  deadline: Date;
  inProgressAt: Date | null;
  finalizingAt: Date | null;
  completedAt: Date | null;
  failedAt: Date | null;
  expiredAt: Date | null;
  cancellingAt: Date | null;
  cancelledAt: Date | null;
  upstream: string | null;
  /** The blobs of the input and of the index of its line offsets. Null until the input is found valid. */
  inputBlob: string | null;
  indexBlob: string | null;
  total: number;
  /** The partition of the line index: days between 1970-01-01 and createdAt. */
  day: number;
  /** The x-request-id of the request that created the batch. Null if the creator gave none. */
  requestId: string | null;
  /** When the tenant's tier had room for the batch. Null before that. */
  admittedAt: Date | null;
  completed: number;
  failed: number;
  sealedAs: "done" | "expired" | "cancelled" | null;
  usage: TokenUsage;
}

const USAGE = TOKEN_COUNTERS.map(({ name, column }) => `'${name}', p.${column}`).join(", ");

const SELECT_BATCH = `
  select b.batch_no as "batchNo", b.id, b.tenant, b.endpoint, b.completion_window as "completionWindow",
    b.input_file_id as "inputFileId", b.metadata, b.output_expires_after_seconds as "outputExpiresAfterSeconds", b.status,
    b.model, b.errors, b.output_file_id as "outputFileId", b.error_file_id as "errorFileId",
    b.created_at as "createdAt", b.deadline, b.in_progress_at as "inProgressAt", b.finalizing_at as "finalizingAt",
    b.completed_at as "completedAt", b.failed_at as "failedAt", b.expired_at as "expiredAt",
    b.cancelling_at as "cancellingAt", b.cancelled_at as "cancelledAt", b.upstream, b.input_blob as "inputBlob",
    b.index_blob as "indexBlob", b.total, b.day, b.admitted_at as "admittedAt", b.request_id as "requestId",
    p.completed, p.failed, p.sealed_as as "sealedAs", json_build_object(${USAGE}) as usage
  from batches b join batch_progress p on p.batch_no = b.batch_no`;

/** Returns null if the tenant does not have this batch, even if another tenant does. */
export async function findBatch(db: Queryable, tenant: string, id: string): Promise<BatchView | null> {
  const { rows } = await db.query<BatchView>(`/* batches.find */ ${SELECT_BATCH} where b.tenant = $1 and b.id = $2`, [
    tenant,
    id,
  ]);
  return rows[0] ?? null;
}

/** Finds a batch of any tenant by its number. Workers use it. */
export async function getBatch(db: Queryable, batchNo: number): Promise<BatchView | null> {
  const { rows } = await db.query<BatchView>(`/* batches.get */ ${SELECT_BATCH} where b.batch_no = $1`, [batchNo]);
  return rows[0] ?? null;
}

/** Returns the number of the batch with this id, of any tenant, or null if there is no such batch. Admins use it. */
export async function numberOfBatch(db: Queryable, id: string): Promise<number | null> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* batches.number */ select batch_no as "batchNo" from batches where id = $1`,
    [id],
  );
  return rows[0]?.batchNo ?? null;
}

export interface BatchPage {
  rows: BatchView[];
  hasMore: boolean;
}

/**
 * Returns a page of a tenant's batches, newest first: contract §1.3. `after` is exclusive. Returns null if `after` does
 * not name a batch of the tenant.
 */
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
  const { rows } = await db.query<BatchView>(
    `/* batches.list */ ${SELECT_BATCH}
    where b.tenant = $1 and ($2::bigint is null
      or (b.created_at, b.batch_no) < (select c.created_at, c.batch_no from batches c where c.batch_no = $2))
    order by b.created_at desc, b.batch_no desc limit $3`,
    [tenant, before, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}
