/** validating → in_progress or failed. Its one effect is the compare-and-set at its end, so a crash costs a second look. */
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
  fileFaults,
  lineFaults,
  MAX_BATCH_FILE_BYTES,
  MAX_BATCH_LINES,
  type BatchEndpoint,
  type BatchError,
  type InputReport,
} from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import type { LineIndexes } from "../ledger/line-indexes.ts";
import { limitsOf } from "./admission.ts";
import { logFacts } from "./log-facts.ts";
import { validateInput } from "./validate-input.ts";
import type { ValidationThreads } from "./validation-threads.ts";

export interface ValidateDeps extends Pick<WorkerDeps, "db" | "objects" | "routes" | "tiers" | "clock" | "logger"> {
  readonly threads: ValidationThreads;
  readonly indexes: LineIndexes;
}

/** The upstream that the batch's lines are for now, or null where the batch failed or was cancelled meanwhile. */
export async function validateBatch(deps: ValidateDeps, batch: BatchView): Promise<string | null> {
  const file = await findFile(deps.db, batch.tenant, batch.inputFileId, deps.clock());
  if (file === null) return fail(deps, batch, [fileFaults.missingFile(batch.inputFileId, batch.tenant)]);
  // POST /v1/files refuses such a file; one that was put together from parts (contract §1.2) may be larger.
  if (file.bytes > MAX_BATCH_FILE_BYTES) return fail(deps, batch, [fileFaults.tooLarge(MAX_BATCH_FILE_BYTES)]);
  const { linesPerBatch } = await limitsOf(deps, batch.tenant);
  const rules = { endpoint: batch.endpoint as BatchEndpoint, maxLines: linesPerBatch ?? MAX_BATCH_LINES };
  const report = await validateInput(deps.objects, deps.threads, file, rules);
  const upstream = upstreamOf(deps, report);
  const errors = upstream === null ? withUnknownModel(report) : report.errors;
  if (upstream === null || errors.length > 0) return fail(deps, batch, errors);
  return begin(deps, batch, file, report, upstream);
}

async function begin(
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

async function fail(deps: ValidateDeps, batch: BatchView, errors: BatchError[]): Promise<null> {
  if (await moveBatch(deps.db, batch.batchNo, { to: "failed", errors }, deps.clock())) {
    deps.logger.info(
      { ...logFacts(batch), errors: errors.length, first: errors[0]?.code },
      "batch failed in validation",
    );
  }
  return null;
}

/** A file that names no model (moderations, images) goes where the catch-all goes. */
function upstreamOf({ routes }: ValidateDeps, report: InputReport): string | null {
  return routes.resolve(report.model ?? "")?.upstream ?? null;
}

/** One entry for the first line that names the model, in its place among the others. */
function withUnknownModel(report: InputReport): BatchError[] {
  if (report.total === 0) return report.errors;
  const error = { ...lineFaults.unknownModel(report.model ?? ""), line: report.modelLine };
  return [...report.errors, error].sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity));
}
