/** Sealed batch → the bytes of its output and error files: contract §4.5. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { finishedLines, outputExtents, storedLines, type BatchView, type StoredLine } from "@nightshift/db";
import {
  createLineSplitter,
  MAX_LINE_BYTES,
  newBatchRequestId,
  toRequestLine,
  unansweredLine,
  UNFINISHED,
} from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import { readPieces } from "./stored-bytes.ts";

type ResultDeps = Pick<WorkerDeps, "db" | "objects" | "clock">;

/** Up to here a file comes out in the order of the input; larger ones in the order of completion. */
const SORTED_BYTES = 8 * 1024 * 1024;

/** The output file; null where no line succeeded. */
export async function outputFile(deps: ResultDeps, batch: BatchView): Promise<AsyncIterable<Buffer> | null> {
  if (batch.completed === 0) return null;
  const extents = await outputExtents(deps.db, batch.number);
  const bytes = extents.reduce((sum, extent) => sum + extent.length, 0);
  if (bytes > SORTED_BYTES) return bytesOf(readPieces(deps.objects, extents));
  return sorted(deps, await storedLines(deps.db, batch, false));
}

/** The error file: what failed, then what was never finished; null where there is neither. */
export async function errorFile(deps: ResultDeps, batch: BatchView): Promise<AsyncIterable<Buffer> | null> {
  if (batch.failed === 0) return null;
  const failed = await storedLines(deps.db, batch, true);
  const bytes = failed.reduce((sum, line) => sum + line.length, 0);
  const answered = bytes > SORTED_BYTES ? bytesOf(readPieces(deps.objects, failed)) : await sorted(deps, failed);
  if (batch.sealedAs === "done" || batch.sealedAs === null || batch.inputBlob === null) return answered;
  return concatenated(answered, unfinishedLines(deps, batch, batch.inputBlob, batch.sealedAs));
}

async function sorted(deps: ResultDeps, lines: readonly StoredLine[]): Promise<AsyncIterable<Buffer>> {
  const found: { line: number; bytes: Buffer }[] = [];
  for await (const { piece, bytes } of readPieces(deps.objects, lines)) found.push({ line: piece.line, bytes });
  found.sort((a, b) => a.line - b.line);
  return Readable.from([Buffer.concat(found.map(({ bytes }) => bytes))]) as AsyncIterable<Buffer>;
}

async function* bytesOf(pieces: AsyncIterable<{ bytes: Buffer }>): AsyncGenerator<Buffer> {
  for await (const { bytes } of pieces) yield bytes;
}

async function* concatenated(first: AsyncIterable<Buffer>, second: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
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
  const splitter = createLineSplitter(MAX_LINE_BYTES);
  let line = 0;
  const toBytes = (raw: readonly { bytes: Buffer | null }[]): Buffer => {
    const pieces: Buffer[] = [];
    for (const { bytes } of raw) {
      if (bytes !== null && !finished.has(line)) {
        const id = newBatchRequestId(randomBytes, Math.floor(deps.clock().getTime() / 1_000));
        pieces.push(unansweredLine(id, toRequestLine(bytes).customId, UNFINISHED[reason]));
      }
      line += 1;
    }
    return Buffer.concat(pieces);
  };
  for await (const chunk of await deps.objects.openRead(inputBlob)) yield toBytes(splitter.push(chunk as Buffer));
  yield toBytes(splitter.end());
}
