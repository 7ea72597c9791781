/**
 * Builds the new contents of a finished batch's files after retries. Reads the old files, because the segments may be
 * deleted.
 */
import { outputLines, type AnsweredRetry, type BatchView, type FileView } from "@nightshift/db";
import { resultCustomId } from "@nightshift/domain";
import { type JoinSource, readLines, readPieces } from "@nightshift/storage";
import type { WorkerDeps } from "../../deps.ts";
import { SORTED_BYTES, type ResultContent } from "../assemble/result-files.ts";

type RetriedDeps = Pick<WorkerDeps, "db" | "objects">;

const LINE_BREAK = Buffer.from("\n");

/**
 * Returns the output file with the retries that succeeded. `old` is null if no line had succeeded before. A small file
 * is in the order of the input, as before. In a larger file, the new lines follow the old lines.
 */
export async function retriedOutput(
  deps: RetriedDeps,
  batch: BatchView,
  old: FileView | null,
  succeeded: readonly AnsweredRetry[],
): Promise<ResultContent> {
  const bytes = succeeded.reduce((sum, { length }) => sum + length, old?.bytes ?? 0);
  const before = old === null ? [] : [{ key: old.blob, offset: 0, length: old.bytes }];
  if (bytes > SORTED_BYTES) return [...before, ...succeeded];
  const oldLines = old === null ? [] : splitLines(await deps.objects.read(old.blob));
  const oldNumbers = old === null ? [] : await outputLines(deps.db, batch);
  // Another worker has replaced the file since. The order does not matter here, because the compare-and-set will fail.
  if (oldNumbers.length !== oldLines.length) return [...before, ...succeeded];
  const lines = oldLines.map((line, i) => ({ number: oldNumbers[i] ?? 0, line }));
  for await (const { piece, bytes: line } of readPieces(deps.objects, succeeded)) {
    lines.push({ number: piece.line, line });
  }
  lines.sort((a, b) => a.number - b.number);
  return lines.map(({ line }) => line);
}

/**
 * Returns the error file without the retries that succeeded, and with a new line for each retry that failed again. All
 * other lines keep their bytes. Lines are matched by `custom_id`, because lines that never finished are not in the line
 * index.
 */
export async function retriedErrors(
  deps: RetriedDeps,
  old: FileView,
  retries: readonly AnsweredRetry[],
): Promise<ResultContent> {
  const changed = new Map<string, AnsweredRetry>();
  for await (const { piece, bytes } of readPieces(deps.objects, retries)) changed.set(resultCustomId(bytes), piece);
  return replaceLines(deps, old, changed);
}

async function* replaceLines(
  { objects }: RetriedDeps,
  old: FileView,
  changed: ReadonlyMap<string, AnsweredRetry>,
): AsyncGenerator<JoinSource> {
  for await (const lines of readLines(objects, old.blob, Number.MAX_SAFE_INTEGER)) {
    const sources = lines.flatMap(({ bytes }): JoinSource[] => {
      if (bytes === null) return [];
      const retry = changed.get(resultCustomId(bytes));
      if (retry === undefined) return [bytes, LINE_BREAK];
      return retry.failed ? [retry] : [];
    });
    yield* inRuns(sources);
  }
}

/** Joins neighbouring buffers into one source, because a source for each line would cost more than the line's bytes. */
function* inRuns(sources: readonly JoinSource[]): Generator<JoinSource> {
  let kept: Uint8Array[] = [];
  for (const source of sources) {
    if (source instanceof Uint8Array) {
      kept.push(source);
      continue;
    }
    if (kept.length > 0) yield Buffer.concat(kept);
    kept = [];
    yield source;
  }
  if (kept.length > 0) yield Buffer.concat(kept);
}

/** Returns the lines of a result file, each with its line break. */
function splitLines(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < content.length;) {
    const at = content.indexOf(LINE_BREAK, from);
    const end = at < 0 ? content.length : at + 1;
    lines.push(content.subarray(from, end));
    from = end;
  }
  return lines;
}
