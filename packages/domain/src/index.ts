/** What Nightshift talks about, and only that: the wire, the states, the limits. No input or output, no clock. */
export { BATCH_ENDPOINTS, isBatchEndpoint, type BatchEndpoint } from "./endpoints.ts";
export { BATCH_STATUSES, canMove, isFinal, sourcesOf, type BatchStatus } from "./batch-status.ts";
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
export { newBatchId, newBatchRequestId, newFileId, newRequestId, type RandomBytes } from "./ids.ts";
export { createInputValidator, type InputReport, type InputValidator } from "./input-validator.ts";
export { isJson, lastMember, scanObject, type Member } from "./json-scan.ts";
export { createLineSplitter, type LineSplitter, type RawLine } from "./jsonl.ts";
export {
  BATCH_PAGE,
  COMPLETION_WINDOWS,
  EXPIRES_AFTER,
  FILE_PAGE,
  MAX_BATCH_FILE_BYTES,
  MAX_BATCH_LINES,
  MAX_FILE_BYTES,
  MAX_LINE_BYTES,
  MAX_REPORTED_ERRORS,
  MAX_SLICE_LINES,
  METADATA,
} from "./limits.ts";
export { fileFaults, lineFaults, type LineFault } from "./line-faults.ts";
export { createLineIndex, indexRange, readSpan, spanCount, type LineIndexWriter, type LineSpan } from "./line-index.ts";
export { bodyToSend, readRequestLine, toRequestLine, type RequestLine } from "./request-line.ts";
export {
  answeredLine,
  type ResultLine,
  LINE_ERROR_CODES,
  quotedBody,
  unansweredLine,
  UNFINISHED,
  type LineError,
  type LineErrorCode,
} from "./result-line.ts";
export { scanReplyBody, type ReplyBody } from "./reply-body.ts";
export { readUsage, type LineUsage } from "./usage.ts";
export { BatchError, BatchObject, BatchUsage, CreateBatchBody } from "./wire/batch.ts";
export { DeletedFile, FileObject, SEALED_PURPOSES, UPLOAD_PURPOSES, type UploadPurpose } from "./wire/file.ts";
export { ErrorReply } from "./wire/error.ts";
export { listPage, listSchema, type ListPage } from "./wire/list.ts";
