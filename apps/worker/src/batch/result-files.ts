/** Sealed batch → the bytes of its output and error files: contract §4.5. */
import { randomBytes } from "node:crypto";
import { finishedLines, outputExtents, storedLines, type BatchView, type StoredLine } from "@nightshift/db";
import { MAX_LINE_BYTES, newBatchRequestId, toRequestLine, unansweredLine, UNFINISHED } from "@nightshift/domain";
import { type JoinSource, readLines, readPieces } from "@nightshift/storage";
import type { WorkerDeps } from "../deps.ts";

type ResultDeps = Pick<WorkerDeps, "db" | "objects" | "clock">;

/** Up to here a file comes out in the order of the input; larger ones in the order of completion. */
export const SORTED_BYTES = 8 * 1024 * 1024;

/** A file's bytes: most of them lie in segments, from where the object store takes them itself. */
export type ResultContent = Iterable<JoinSource> | AsyncIterable<JoinSource>;

/** The output file; null where no line succeeded. */
export async function outputFile(deps: ResultDeps, batch: BatchView): Promise<ResultContent | null> {
  if (batch.completed === 0) return null;
  const extents = await outputExtents(deps.db, batch.batchNo);
  if (lengthOf(extents) > SORTED_BYTES) return extents;
  return [await sorted(deps, await storedLines(deps.db, batch, "output"))];
}

/** The error file: what failed, then what was never finished; null where there is neither. */
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

/** Reads the input once more for the custom_ids of the lines that have no result. */
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
