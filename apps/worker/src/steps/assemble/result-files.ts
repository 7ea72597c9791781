/** Builds the contents of a sealed batch's output and error files: contract §4.5. */
import { randomBytes } from "node:crypto";
import { finishedLines, outputExtents, storedLines, type BatchView, type StoredLine } from "@nightshift/db";
import { MAX_LINE_BYTES, newBatchRequestId, toRequestLine, unansweredLine, UNFINISHED } from "@nightshift/domain";
import { type JoinSource, readLines, readPieces } from "@nightshift/storage";
import type { WorkerDeps } from "../../deps.ts";

type ResultDeps = Pick<WorkerDeps, "db" | "objects" | "clock">;

/**
 * A file of up to this size is in the order of the input. A larger file is in the order in which lines were recorded.
 */
export const SORTED_BYTES = 8 * 1024 * 1024;

/** The content of a file. Most of the content is in segments, which the object store copies without this worker. */
export type ResultContent = Iterable<JoinSource> | AsyncIterable<JoinSource>;

/** Returns the output file, or null if no line succeeded. */
export async function outputFile(deps: ResultDeps, batch: BatchView): Promise<ResultContent | null> {
  if (batch.completed === 0) return null;
  const extents = await outputExtents(deps.db, batch.batchNo);
  if (lengthOf(extents) > SORTED_BYTES) return extents;
  return [await sorted(deps, await storedLines(deps.db, batch, "output"))];
}

/** Returns the error file: failed lines first, then unfinished lines. Returns null if there are no such lines. */
export async function errorFile(deps: ResultDeps, batch: BatchView): Promise<ResultContent | null> {
  if (batch.failed === 0) return null;
  const failed = await storedLines(deps.db, batch, "error");
  const answered = lengthOf(failed) > SORTED_BYTES ? failed : [await sorted(deps, failed)];
  if (batch.sealedAs === "done" || batch.sealedAs === null || batch.inputBlob === null) return answered;
  return concatenated(answered, unfinishedLines(deps, batch, batch.inputBlob, batch.sealedAs));
}

async function sorted(deps: ResultDeps, lines: readonly StoredLine[]): Promise<Buffer> {
  const found: { line: number; bytes: Buffer }[] = [];
  for await (const { piece, bytes } of readPieces(deps.objects, lines)) found.push({ line: piece.line, bytes });
  found.sort((a, b) => a.line - b.line);
  return Buffer.concat(found.map(({ bytes }) => bytes));
}

function lengthOf(pieces: readonly { readonly length: number }[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

async function* concatenated(first: readonly JoinSource[], second: AsyncIterable<Buffer>): AsyncGenerator<JoinSource> {
  yield* first;
  yield* second;
}

/** Yields the error line of each line that has no result. Reads the input again to find each `custom_id`. */
async function* unfinishedLines(
  deps: ResultDeps,
  batch: BatchView,
  inputBlob: string,
  reason: "expired" | "cancelled",
): AsyncGenerator<Buffer> {
  const finished = new Set(await finishedLines(deps.db, batch));
  if (finished.size === batch.total) return;
  let line = 0;
  for await (const raw of readLines(deps.objects, inputBlob, MAX_LINE_BYTES)) {
    const pieces: Buffer[] = [];
    for (const { bytes } of raw) {
      if (bytes !== null && !finished.has(line)) {
        const id = newBatchRequestId(randomBytes, Math.floor(deps.clock().getTime() / 1_000));
        pieces.push(...unansweredLine(id, toRequestLine(bytes).customId, UNFINISHED[reason]).pieces);
      }
      line += 1;
    }
    yield Buffer.concat(pieces);
  }
}
