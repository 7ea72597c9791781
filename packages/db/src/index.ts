/** Postgres, and only that: every statement of Nightshift, by what it does. */
export { isDbUnavailable, openDb, type Db, type DbOptions, type Queryable, type Tx } from "./pool.ts";
export { withTx } from "./tx.ts";
export { migrate, SchemaTooNewError } from "./migrate.ts";
export { createBatch, type NewBatch } from "./batches/create-batch.ts";
export type { BatchView, TokenUsage } from "./batches/batch-view.ts";
export { batchesToAdvance, overdueBatches } from "./batches/due-batches.ts";
export { findBatch, getBatch } from "./batches/find-batch.ts";
export { finishBatch, type Finish, type ResultFile } from "./batches/finish-batch.ts";
export { listBatches, type BatchPage } from "./batches/list-batches.ts";
export { moveBatch, type BatchMove } from "./batches/move-batch.ts";
export { stoppedBatches, type StoppedBatch } from "./batches/stopped-batches.ts";
export { requestCancel, type CancelOutcome } from "./batches/request-cancel.ts";
export { forgetBlobs, insertBlob, unneededBlobs } from "./blobs/blobs.ts";
export { deleteFile } from "./files/delete-file.ts";
export type { FileView } from "./files/file-view.ts";
export { findFile } from "./files/find-file.ts";
export { insertFile, type NewFile } from "./files/insert-file.ts";
export { listFiles, type FilePage, type FilePageRequest } from "./files/list-files.ts";
export { findKey, type KeyView } from "./keys/find-key.ts";
export { insertFirstKey, insertKey, type NewKey } from "./keys/insert-key.ts";
export { claimSlices } from "./ledger/claim.ts";
export { feedUpstream, type FeedCandidate, type FeedState, type NewSlice } from "./ledger/feed.ts";
export { exhaustedLines, openMend, type FailedLine, type MendOutcome, type MendRequest } from "./ledger/mend.ts";
export { ensureLinePartition } from "./ledger/partitions.ts";
export {
  finishedLines,
  outputExtents,
  storedLines,
  type StoredExtent,
  type StoredLine,
} from "./ledger/read-results.ts";
export type { Flush, LineResult, Recorded, SliceReturn, WrittenSegment } from "./ledger/flush.ts";
export { recordFlush } from "./ledger/record.ts";
export { sealCancelled, sealExpired, type SealReason } from "./ledger/seal.ts";
export type { ClaimedSlice, SliceRef, WaitingSlice } from "./ledger/slice-row.ts";
export { forgetSegments, sweepableSegments, type SweptSegment } from "./ledger/sweep.ts";
export { takeTurn } from "./ledger/turns.ts";
export { waitingSlices } from "./ledger/waiting-slices.ts";
export { beat, freeOrphans, listWorkers, registerWorker, removeWorkers, type WorkerRow } from "./ledger/workers.ts";
export { grant, type Grant, type LeaseRequest, type UpstreamState } from "./limits/grant.ts";
export { leaseUpstream, type Lease, type Measured } from "./limits/lease.ts";
export { declareUpstream, pauseUpstream, type UpstreamLimits } from "./limits/upstreams.ts";
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
