/** Nightshift's domain: the objects of the API, the states, the limits. It does no I/O and reads no clock. */
export { BATCH_ENDPOINTS, type BatchEndpoint } from "./endpoints.ts";
export { BATCH_STATUSES, canMove, isFinal, sourcesOf, type BatchStatus } from "./batch-status.ts";
export {
  COMPLETION_WINDOWS_PATTERN,
  DEFAULT_COMPLETION_WINDOWS,
  parseCompletionWindows,
  type CompletionWindows,
} from "./completion-windows.ts";
export { errors, RequestError, type ErrorFacts, type ErrorKind } from "./errors.ts";
export {
  planFeed,
  sliceLines,
  windowLines,
  WINDOW_BYTES,
  type FeedShare,
  type FeedWindow,
  type PlannedRun,
} from "./feed-plan.ts";
export {
  newBatchId,
  newBatchRequestId,
  newFileId,
  newPartId,
  newRequestId,
  newUploadId,
  type RandomBytes,
} from "./ids.ts";
export { newEventId, newWebhookEndpointId, newWebhookId } from "./ids.ts";
export { createInputValidator, type InputReport, type InputValidator } from "./input-validator.ts";
export { isJson, lastMember, scanObject, type Member } from "./json-scan.ts";
export { createLineSplitter, type LineSplitter, type RawLine } from "./jsonl.ts";
export {
  BATCH_PAGE,
  DAY_MS,
  DAY_SECONDS,
  EXPIRES_AFTER,
  FILE_PAGE,
  HISTORY_PAGE,
  IDEMPOTENCY_KEY,
  MAX_BATCH_FILE_BYTES,
  MAX_BATCH_LINES,
  MAX_CUSTOM_ID_LENGTH,
  MAX_EMBEDDING_INPUTS,
  MAX_FILE_BYTES,
  MAX_FILENAME_LENGTH,
  MAX_LINE_BYTES,
  MAX_REPORTED_ERRORS,
  MAX_SLICE_LINES,
  MAX_UPLOAD_BYTES,
  MAX_UPLOAD_COPIES,
  MAX_UPLOAD_PART_BYTES,
  MAX_UPLOAD_PARTS,
  RETRY_GATHER_SECONDS,
  RETRY_HOURS,
  METADATA,
  RESULT_LOG_KEPT_SECONDS,
  RESULT_PAGE,
  UPLOAD_LIFE_SECONDS,
} from "./limits.ts";
export { MAX_SHOWN_DELIVERIES, MAX_WEBHOOK_ENDPOINTS } from "./limits.ts";
export { fileFaults, lineFaults, type LineFault } from "./line-faults.ts";
export { createLineIndex, readSpan, spanCount, type LineIndexWriter, type LineSpan } from "./line-index.ts";
export { bodyToSend, readRequestLine, toRequestLine, type RequestLine } from "./request-line.ts";
export {
  answeredLine,
  type ResultKind,
  type ResultLine,
  LINE_ERROR_CODES,
  quotedBody,
  resultCustomId,
  unansweredLine,
  UNFINISHED,
  type LineError,
  type LineErrorCode,
} from "./result-line.ts";
export { scanReplyBody, type ReplyBody } from "./reply-body.ts";
export { NETWORK_ERROR_CODES } from "./network-errors.ts";
export { createTiers, DEFAULT_TIER, NO_LIMITS, NO_TIERS, type TierLimits, type Tiers } from "./tiers.ts";
export { NO_TOKENS, readUsage, sumUsage, TOKEN_COUNTERS, type TokenUsage } from "./usage.ts";
export { expiresAfter } from "./wire/shared-schemas.ts";
export {
  BatchError,
  BatchObject,
  BatchUsage,
  type CreateBatchBody,
  createBatchBody,
  presentUsage,
} from "./wire/batch.ts";
export { DeletedFile, FileObject, SEALED_PURPOSES, UPLOAD_PURPOSES, type UploadPurpose } from "./wire/file.ts";
export { ErrorReply } from "./wire/error.ts";
export { BatchHistoryEntry } from "./wire/history.ts";
export { listPage, listSchema, type ListPage } from "./wire/list.ts";
export { ProgressEvent } from "./wire/progress.ts";
export { ResultPageObject } from "./wire/result-page.ts";
export {
  CompleteUploadBody,
  CreateUploadBody,
  UploadObject,
  UploadPartObject,
  type UploadStatus,
} from "./wire/upload.ts";
export { nextWebhookAttempt } from "./webhook-retry.ts";
export {
  CreateWebhookBody,
  DeletedWebhookEndpoint,
  WEBHOOK_EVENT_TYPES,
  WebhookDeliveryObject,
  type WebhookDeliveryState,
  WebhookEndpointObject,
  webhookEventBody,
  type WebhookEventType,
  WebhookTestObject,
} from "./wire/webhook.ts";
