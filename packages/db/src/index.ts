/** Postgres, and only that: every statement of Nightshift, by what it does. */
export { isDbUnavailable, openDb, type Db, type DbOptions, type Queryable, type Tx } from "./pool.ts";
export { withTx } from "./tx.ts";
export { migrate, SchemaTooNewError } from "./migrate.ts";
export { admitBatches, waitingTenants } from "./batches/admit-batches.ts";
export { BatchQueueFullError, insertBatch, type NewBatch } from "./batches/insert-batch.ts";
export type { BatchView, TokenUsage } from "./batches/batch-view.ts";
export { batchProgress, type BatchProgress } from "./batches/batch-progress.ts";
export { batchesToAdvance, overdueBatches } from "./batches/due-batches.ts";
export { findBatch, getBatch, numberOfBatch } from "./batches/find-batch.ts";
export { finishBatch, type Finish, type ResultFile } from "./batches/finish-batch.ts";
export { listBatches, type BatchPage } from "./batches/list-batches.ts";
export { moveBatch, type BatchMove } from "./batches/move-batch.ts";
export { stoppedBatches, type StoppedBatch } from "./batches/stopped-batches.ts";
export { requestCancel, type CancelOutcome } from "./batches/request-cancel.ts";
export { forgetBlobs, insertBlob, unneededBlobs } from "./blobs/blobs.ts";
export { deleteFile } from "./files/delete-file.ts";
export type { FileView } from "./files/file-view.ts";
export { findFile } from "./files/find-file.ts";
export { forgetFiles } from "./files/forget-files.ts";
export { insertFile, type NewFile } from "./files/insert-file.ts";
export { registerFile } from "./files/register-file.ts";
export { listFiles, type FilePage, type FilePageRequest } from "./files/list-files.ts";
export { claimKey, KeyConflictError, sweepKeys, type KeyClaim, type KeyConflict } from "./idempotency/claim-key.ts";
export { expireUploads } from "./uploads/expire-uploads.ts";
export { findUpload, insertUpload, lockUpload, type NewUpload, type UploadView } from "./uploads/upload.ts";
export { markCancelled, markCompleted, type UploadCompletion } from "./uploads/finish-upload.ts";
export {
  findParts,
  insertPart,
  partBlobs,
  partsTotal,
  unneededPartBlobs,
  type NewUploadPart,
  type UploadPartView,
} from "./uploads/parts.ts";
export { findKey, type KeyView } from "./keys/find-key.ts";
export { insertFirstKey, insertKey, type NewKey } from "./keys/insert-key.ts";
export { listKeys, type KeyRow } from "./keys/list-keys.ts";
export { revokeKey } from "./keys/revoke-key.ts";
export { claimSlices } from "./ledger/claim.ts";
export { freeSlices, ownedSlices } from "./ledger/owned-slices.ts";
export { feedUpstream, type FeedCandidate, type FeedState, type NewSlice } from "./ledger/feed.ts";
export { ensureLinePartition } from "./ledger/partitions.ts";
export {
  finishedLines,
  outputExtents,
  outputLines,
  storedLines,
  type StoredExtent,
  type StoredLine,
} from "./ledger/read-results.ts";
export { resultExtents, type ResultExtent } from "./ledger/result-log.ts";
export type { Flush, LineResult, Recorded, SliceReturn, WrittenSegment } from "./ledger/flush.ts";
export { recordFlush } from "./ledger/record.ts";
export { sealCancelled, sealExpired, type SealReason } from "./ledger/seal.ts";
export type { ClaimedSlice, SliceRef, WaitingSlice } from "./ledger/slice-row.ts";
export { forgetSegments, knownSegments, sweepableSegments, type SweptSegment } from "./ledger/sweep.ts";
export { takeTurn } from "./ledger/turns.ts";
export { waitingSlices } from "./ledger/waiting-slices.ts";
export {
  recordHeartbeat,
  freeOrphans,
  listWorkers,
  registerWorker,
  removeWorkers,
  type WorkerRow,
} from "./ledger/workers.ts";
export { batchesToPublish, giveUpRetries, isDueToPublish } from "./retries/due-retries.ts";
export { exhaustedLines, failedLines, type FailedLine } from "./retries/failed-lines.ts";
export type { FileOutcome } from "./retries/history.ts";
export { listBatchHistory, type HistoryEntry } from "./retries/list-history.ts";
export { openRetries, type RetryLine, type RetryOutcome, type RetryRequest } from "./retries/open-retries.ts";
export {
  answeredRetries,
  publishRetries,
  type AnsweredRetry,
  type FileChange,
  type Publication,
} from "./retries/publish-retries.ts";
export { grant, type Grant, type LeaseRequest, type UpstreamState } from "./limits/grant.ts";
export { leaseUpstream, type Lease, type Measured } from "./limits/lease.ts";
export { declareUpstream, pauseUpstream, type UpstreamLimits } from "./limits/upstreams.ts";
export { findTenant, listTenants, type TenantView } from "./tenants/find-tenant.ts";
export { lockTenant } from "./tenants/lock-tenant.ts";
export { takeRequests, type WindowRequest } from "./tenants/request-window.ts";
export { setTenant, type TenantChange } from "./tenants/set-tenant.ts";
export { storedBytes } from "./tenants/stored-bytes.ts";
export {
  claimDelivery,
  dueDeliveries,
  listDeliveries,
  recordAttempt,
  untriedDeliveries,
  type ClaimedDelivery,
  type DeliveryView,
} from "./webhooks/deliveries.ts";
export {
  deleteWebhookEndpoint,
  findWebhookEndpoint,
  insertWebhookEndpoint,
  listWebhookEndpoints,
  type WebhookEndpointView,
} from "./webhooks/endpoints.ts";
export { forgetWebhookEvents } from "./webhooks/outbox.ts";
