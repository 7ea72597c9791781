/** Fixtures: finished batches with the rows of their files, but without objects. */
import { randomUUID } from "node:crypto";
import { expect } from "@jest/globals";
import {
  answeredRetries,
  type BatchView,
  type Db,
  finishBatch,
  insertBlob,
  insertFile,
  type HistoryEntry,
  listBatchHistory,
  publishRetries,
  type Publication,
} from "../src/index.ts";
import { claimedSlice, newTenant, now, recordLines, runningBatch, viewOf } from "./ledger-fixture.ts";

export type FinishedBatch = BatchView & { upstream: string };

const newFile = (tenant: string, purpose: string, blob: string) => ({
  id: `file-${randomUUID()}`,
  tenant,
  purpose,
  filename: "lines.jsonl",
  bytes: 1,
  blob,
  createdAt: now,
  expiresAt: null,
});

/** A running batch of `total` lines with a live input file. */
export async function batchWithInput(db: Db, total: number): Promise<FinishedBatch> {
  const tenant = await newTenant(db);
  const blob = `files/${randomUUID()}`;
  await insertBlob(db, { key: blob, bytes: 1, etag: "e" });
  const input = newFile(tenant, "batch", blob);
  await insertFile(db, input);
  return runningBatch(db, { total, tenant, inputFileId: input.id });
}

/** Moves a sealed batch to its final status, with the files that it has lines for. */
export async function finish(db: Db, batch: FinishedBatch, to: "completed" | "expired"): Promise<FinishedBatch> {
  const view = await viewOf(db, batch.batchNo);
  const file = () => ({ ...newFile(batch.tenant, "batch_output", `files/${randomUUID()}`), etag: "old" });
  const output = view.completed === 0 ? null : file();
  const error = view.failed === 0 ? null : file();
  expect(await finishBatch(db, { batchNo: batch.batchNo, to, output, error }, now)).toBe(true);
  return { ...(await viewOf(db, batch.batchNo)), upstream: batch.upstream };
}

/** A completed batch of `total` lines. The lines in `failed` ran out of attempts. */
export async function completedBatch(db: Db, total: number, failed: readonly number[]): Promise<FinishedBatch> {
  const batch = await batchWithInput(db, total);
  const lines = Array.from({ length: total }, (_, line) => line);
  for (let fed = 0; fed < total; fed += 64) await claimedSlice(db, batch, Math.min(64, total - fed));
  await recordLines(db, batch.batchNo, failed, { resultKind: "error", isExhausted: true });
  await recordLines(
    db,
    batch.batchNo,
    lines.filter((line) => !failed.includes(line)),
  );
  return finish(db, batch, "completed");
}

/** Publishes the answered retries, with new content for both files. */
export async function publish(db: Db, batch: BatchView, change: Partial<Publication> = {}): Promise<boolean> {
  const retries = await answeredRetries(db, batch.batchNo);
  const replace = async (fileId: string | null): Promise<Publication["output"]> => {
    if (fileId === null) return { kind: "keep" };
    const content = { key: `files/${randomUUID()}`, bytes: 2, etag: "new" };
    await insertBlob(db, content);
    return { kind: "replace", fileId, oldBlob: await blobOf(db, fileId), content };
  };
  const output = await replace(batch.outputFileId);
  const error = await replace(batch.errorFileId);
  return publishRetries(db, { batch, retries, output, error, ...change }, now);
}

export async function blobOf(db: Db, fileId: string | null): Promise<string> {
  const { rows } = await db.query<{ blob: string }>("select blob from files where id = $1", [fileId]);
  return rows[0]?.blob ?? "";
}

/** The history of a batch without its statuses, oldest entry first. */
export async function writtenHistory(db: Db, batchNo: number): Promise<HistoryEntry[]> {
  const page = await listBatchHistory(db, batchNo, { limit: 100, after: null });
  return (page?.rows ?? []).filter(({ what }) => what !== "status").reverse();
}
