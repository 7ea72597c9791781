/** This package has every SQL statement of Nightshift, each as a function. */
export { isDbUnavailable, openDb, type Db, type DbOptions, type Queryable, type Tx } from "./pool.ts";
export { withTx } from "./tx.ts";
export { migrate, SchemaTooNewError } from "./migrate.ts";
export { admitBatches, waitingTenants } from "./batches/admit-batches.ts";
export { BatchQueueFullError, insertBatch, type NewBatch } from "./batches/insert-batch.ts";
export {
  findBatch,
  getBatch,
  listBatches,
  numberOfBatch,
  type BatchPage,
  type BatchView,
} from "./batches/batch-view.ts";
export { batchProgress, type BatchProgress } from "./batches/batch-progress.ts";
export { batchesToAdvance, overdueBatches, stoppedBatches, type StoppedBatch } from "./batches/due-batches.ts";
export { finishBatch, type Finish, type ResultFile } from "./batches/finish-batch.ts";
export { listBatchHistory, type FileOutcome, type HistoryEntry } from "./batches/history.ts";
export { moveBatch, type BatchMove } from "./batches/move-batch.ts";
export { requestCancel, type CancelOutcome } from "./batches/request-cancel.ts";
export { forgetBlobs, insertBlob, unneededBlobs } from "./files/blobs.ts";
export {
  deleteFile,
  findFile,
  forgetFiles,
  insertFile,
  registerFile,
  storedBytes,
  type FileView,
  type NewFile,
} from "./files/files.ts";
export { listFiles, type FilePage, type FilePageRequest } from "./files/list-files.ts";
export {
  expireUploads,
  findUpload,
  insertUpload,
  lockUpload,
  markCancelled,
  markCompleted,
  type NewUpload,
  type UploadCompletion,
  type UploadView,
} from "./files/uploads.ts";
export {
  findParts,
  insertPart,
  partBlobs,
  partsTotal,
  unneededPartBlobs,
  type NewUploadPart,
  type UploadPartView,
} from "./files/upload-parts.ts";
export { claimSlices } from "./ledger/claim.ts";
export { freeSlices, ownedSlices, waitingSlices } from "./ledger/recover-slices.ts";
export { feedUpstream, type FeedCandidate, type FeedState, type NewSlice } from "./ledger/feed.ts";
export { ensureLinePartition } from "./ledger/partitions.ts";
export {
  finishedLines,
  outputExtents,
  outputLines,
  resultExtents,
  storedLines,
  type ResultExtent,
  type StoredExtent,
  type StoredLine,
} from "./ledger/read-results.ts";
export type { Flush, LineResult, Recorded, SliceReturn, WrittenSegment } from "./ledger/flush.ts";
export { recordFlush } from "./ledger/record.ts";
export { sealCancelled, sealExpired, type SealReason } from "./ledger/seal.ts";
export type { ClaimedSlice, SliceRef, WaitingSlice } from "./ledger/slice-row.ts";
export { forgetSegments, knownSegments, sweepableSegments, type SweptSegment } from "./ledger/sweep.ts";
export {
  recordHeartbeat,
  freeOrphans,
  listWorkers,
  registerWorker,
  removeWorkers,
  takeTurn,
  type WorkerRow,
} from "./ledger/workers.ts";
export { batchesToPublish, giveUpRetries, isDueToPublish } from "./retries/due-retries.ts";
export { exhaustedLines, failedLines, type FailedLine } from "./retries/failed-lines.ts";
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
export {
  findKey,
  insertFirstKey,
  insertKey,
  listKeys,
  revokeKey,
  type KeyRow,
  type KeyView,
  type NewKey,
} from "./tenants/api-keys.ts";
export { claimKey, KeyConflictError, sweepKeys, type KeyClaim, type KeyConflict } from "./tenants/idempotency-keys.ts";
export { takeRequests, type WindowRequest } from "./tenants/request-window.ts";
export {
  findTenant,
  listTenants,
  lockTenant,
  setTenant,
  type TenantChange,
  type TenantView,
} from "./tenants/tenants.ts";
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
