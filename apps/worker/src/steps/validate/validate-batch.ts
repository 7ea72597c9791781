/**
 * Moves a batch from `validating` to `in_progress` or `failed`. The only effect is the compare-and-set at the end, so
 * after a crash validation runs again from the start.
 */
import { randomUUID } from "node:crypto";
import {
  ensureLinePartition,
  findFile,
  forgetBlobs,
  insertBlob,
  moveBatch,
  type BatchView,
  type FileView,
} from "@nightshift/db";
import {
  createInputValidator,
  fileFaults,
  lineFaults,
  MAX_BATCH_FILE_BYTES,
  MAX_BATCH_LINES,
  type BatchEndpoint,
  type BatchError,
  type InputReport,
} from "@nightshift/domain";
import { logFields, type WorkerDeps } from "../../deps.ts";
import type { LineIndexes } from "../feed/line-indexes.ts";
import { limitsOf } from "./admission.ts";
import type { InputRules } from "./validation-thread.ts";
import type { ValidationThreads } from "./validation-threads.ts";

export interface ValidateDeps extends Pick<WorkerDeps, "db" | "objects" | "routes" | "tiers" | "clock" | "logger"> {
  readonly threads: ValidationThreads;
  readonly indexes: LineIndexes;
}

/** Up to this size, validation takes less time than the start of a thread (about 50 ms). */
const INLINE_BYTES = 256 * 1024;

/**
 * Resolves with the upstream of the batch's lines, or with null if the batch failed or was cancelled during validation.
 */
export async function validateBatch(deps: ValidateDeps, batch: BatchView): Promise<string | null> {
  const file = await findFile(deps.db, batch.tenant, batch.inputFileId, deps.clock());
  if (file === null) return failBatch(deps, batch, [fileFaults.missingFile(batch.inputFileId, batch.tenant)]);
  // POST /v1/files rejects a file of this size, but a file uploaded in parts (contract §1.2) may be larger.
  if (file.bytes > MAX_BATCH_FILE_BYTES) return failBatch(deps, batch, [fileFaults.tooLarge(MAX_BATCH_FILE_BYTES)]);
  const { linesPerBatch } = await limitsOf(deps, batch.tenant);
  const rules = { endpoint: batch.endpoint as BatchEndpoint, maxLines: linesPerBatch ?? MAX_BATCH_LINES };
  const report = await validateInput(deps, file, rules);
  const upstream = upstreamOf(deps, report);
  const errors = upstream === null ? withUnknownModel(report) : report.errors;
  if (upstream === null || errors.length > 0) return failBatch(deps, batch, errors);
  return startBatch(deps, batch, file, report, upstream);
}

/** Rejects if the object does not exist (ObjectNotFoundError) or if the store is unavailable. */
async function validateInput(
  { objects, threads }: ValidateDeps,
  input: FileView,
  rules: InputRules,
): Promise<InputReport> {
  if (input.bytes > INLINE_BYTES) return threads.validate(() => objects.openRead(input.blob), rules);
  const validator = createInputValidator(rules.endpoint, rules.maxLines);
  validator.push(await objects.read(input.blob));
  return validator.end();
}

async function startBatch(
  deps: ValidateDeps,
  batch: BatchView,
  file: FileView,
  report: InputReport,
  upstream: string,
): Promise<string | null> {
  const indexBlob = `indexes/${randomUUID()}`;
  await Promise.all([
    ensureLinePartition(deps.db, batch.day),
    insertBlob(deps.db, { key: indexBlob, bytes: report.index.length, etag: "" }),
  ]);
  await deps.objects.put(indexBlob, report.index);
  const isMoved = await moveBatch(
    deps.db,
    batch.batchNo,
    {
      to: "in_progress",
      upstream,
      model: report.model,
      inputBlob: file.blob,
      indexBlob,
      total: report.total,
      firstByte: report.firstByte,
    },
    deps.clock(),
  );
  if (isMoved) {
    deps.indexes.keep(indexBlob, report.index);
    return upstream;
  }
  await deps.objects.delete([indexBlob]);
  await forgetBlobs(deps.db, [indexBlob]);
  return null;
}

async function failBatch(deps: ValidateDeps, batch: BatchView, errors: BatchError[]): Promise<null> {
  if (await moveBatch(deps.db, batch.batchNo, { to: "failed", errors }, deps.clock())) {
    deps.logger.info(
      { ...logFields(batch), errors: errors.length, first: errors[0]?.code },
      "batch failed in validation",
    );
  }
  return null;
}

/** A file that names no model (moderations, images) uses the catch-all route. */
function upstreamOf({ routes }: ValidateDeps, report: InputReport): string | null {
  return routes.resolve(report.model ?? "")?.upstream ?? null;
}

/** Adds one error, at the first line that names the unknown model, and keeps the errors sorted by line. */
function withUnknownModel(report: InputReport): BatchError[] {
  if (report.total === 0) return report.errors;
  const error = { ...lineFaults.unknownModel(report.model ?? ""), line: report.modelLine };
  return [...report.errors, error].sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity));
}
