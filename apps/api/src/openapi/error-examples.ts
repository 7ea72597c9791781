/** One example of each case of the error catalogue, for the OpenAPI document and docs/errors.md. */
import {
  DEFAULT_COMPLETION_WINDOWS,
  errors,
  MAX_BATCH_FILE_BYTES,
  MAX_WEBHOOK_ENDPOINTS,
  type RequestError,
  UPLOAD_PURPOSES,
} from "@nightshift/domain";
import { MAX_JSON_BYTES } from "../json-body.ts";
import { MAX_HEAD_BYTES } from "../middleware/connection-faults.ts";
import { CODINGS } from "../multipart/decompress.ts";
import type { ErrorCase } from "../operation.ts";

const FILE_ID = "file-5dskxx7B6SVyAyRgAHzTJ2";
const BATCH_ID = "batch_6a85c08a63188190982c56b42faa4ff5";
const UPLOAD_ID = "upload_6a85c08a63188190982c56b42faa4ff5";

/** The code does not compile if a case has no example here. Each case also needs a row in docs/errors.md. */
export const errorExamples = {
  noApiKey: errors.noApiKey(),
  wrongApiKey: errors.wrongApiKey("sk-example-0123456789"),
  adminOnly: errors.adminOnly(),
  adminKeyOnly: errors.adminKeyOnly(),
  crossSite: errors.crossSite(),
  fileNotFound: errors.fileNotFound(FILE_ID),
  uploadNotFound: errors.uploadNotFound(UPLOAD_ID),
  uploadIsOver: errors.uploadIsOver(UPLOAD_ID, "expired"),
  batchNotFound: errors.batchNotFound(BATCH_ID),
  webhookEndpointNotFound: errors.webhookEndpointNotFound("we_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
  tooManyWebhookEndpoints: errors.tooManyWebhookEndpoints("acme", MAX_WEBHOOK_ENDPOINTS),
  unknownUrl: errors.unknownUrl("GET", "/v1/file"),
  methodNotAllowed: errors.methodNotAllowed("PUT", "/v1/files"),
  missingParameter: errors.missingParameter("input_file_id"),
  invalidType: errors.invalidType("metadata.tags", "string", "array"),
  invalidValue: errors.invalidValue("completion_window", "48h", [DEFAULT_COMPLETION_WINDOWS]),
  outOfRange: errors.outOfRange("limit", "it must be at least 1"),
  unknownParameter: errors.unknownParameter("endpoints"),
  malformedHttp: errors.malformedHttp("Invalid method encountered"),
  headTooLarge: errors.headTooLarge(MAX_HEAD_BYTES),
  requestTooSlow: errors.requestTooSlow(),
  malformedJson: errors.malformedJson(),
  malformedMultipart: errors.malformedMultipart("its Content-Type is not multipart/form-data"),
  damagedCompression: errors.damagedCompression("gzip", "incorrect header check"),
  unsupportedEncoding: errors.unsupportedEncoding("br", CODINGS),
  bodyTooLarge: errors.bodyTooLarge(MAX_JSON_BYTES),
  invalidPurpose: errors.invalidPurpose("batches", UPLOAD_PURPOSES),
  fileTooLarge: errors.fileTooLarge(MAX_BATCH_FILE_BYTES),
  invalidFileFormat: errors.invalidFileFormat(),
  rangeNotSatisfiable: errors.rangeNotSatisfiable(524),
  notDownloadable: errors.notDownloadable("user_data"),
  wrongPurpose: errors.wrongPurpose(FILE_ID, "user_data"),
  cannotCancel: errors.cannotCancel("completed"),
  tenantNotFound: errors.tenantNotFound("acme"),
  keyNotFound: errors.keyNotFound("key_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
  tierFileTooLarge: errors.tierFileTooLarge(10_000_000),
  storageFull: errors.storageFull(100_000_000),
  batchQueueFull: errors.batchQueueFull(3),
  rateLimited: errors.rateLimited(60, 16_500),
  resultsGone: errors.resultsGone(BATCH_ID),
  idempotencyKeyReused: errors.idempotencyKeyReused(),
  idempotencyKeyInUse: errors.idempotencyKeyInUse(),
  cannotRetry: errors.cannotRetry("cancelling"),
  cannotRetryWithout: errors.cannotRetryWithout("input"),
  unavailable: errors.unavailable("database", null),
} as const satisfies Record<ErrorCase, RequestError>;
