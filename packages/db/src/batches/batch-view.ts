/** A batch as it is read: its row, and what its lines have come to. */
import type { BatchError, BatchStatus } from "@nightshift/domain";

export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cachedTokens: number;
  reasoningTokens: number;
}

export interface BatchView {
  /** The id within Postgres, in order of creation. */
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
  /** The blobs of the input and of its index of line offsets; null until validation ended well. */
  inputBlob: string | null;
  indexBlob: string | null;
  total: number;
  /** The partition of the line index: days since 1970-01-01 of createdAt. */
  day: number;
  /** The x-request-id of the request that created it; null: it is older than the column. */
  requestId: string | null;
  /** When its tenant's tier had room for it; null: it waits, or tiers do not count. */
  admittedAt: Date | null;
  completed: number;
  failed: number;
  sealedAs: "done" | "expired" | "cancelled" | null;
  usage: TokenUsage;
}

type BatchRow = Omit<BatchView, "usage"> & TokenUsage;

/** The select list and the join that `toBatchView` reads. */
export const SELECT_BATCH = `
  select b.batch_no as "batchNo", b.id, b.tenant, b.endpoint, b.completion_window as "completionWindow", b.input_file_id as "inputFileId",
    b.metadata, b.output_expires_after_seconds as "outputExpiresAfterSeconds", b.status, b.model, b.errors,
    b.output_file_id as "outputFileId", b.error_file_id as "errorFileId", b.created_at as "createdAt", b.deadline,
    b.in_progress_at as "inProgressAt", b.finalizing_at as "finalizingAt", b.completed_at as "completedAt",
    b.failed_at as "failedAt", b.expired_at as "expiredAt", b.cancelling_at as "cancellingAt",
    b.cancelled_at as "cancelledAt", b.upstream, b.input_blob as "inputBlob", b.index_blob as "indexBlob", b.total, b.day,
    b.admitted_at as "admittedAt", b.request_id as "requestId",
    p.completed, p.failed, p.sealed_as as "sealedAs", p.input_tokens as "inputTokens", p.output_tokens as "outputTokens",
    p.total_tokens as "totalTokens", p.cached_tokens as "cachedTokens", p.reasoning_tokens as "reasoningTokens"
  from batches b join batch_progress p on p.batch_no = b.batch_no`;

/** A row of SELECT_BATCH as the view that all else works with. */
export function toBatchView(row: BatchRow): BatchView {
  const { inputTokens, outputTokens, totalTokens, cachedTokens, reasoningTokens, ...batch } = row;
  return { ...batch, usage: { inputTokens, outputTokens, totalTokens, cachedTokens, reasoningTokens } };
}

export type { BatchRow };
