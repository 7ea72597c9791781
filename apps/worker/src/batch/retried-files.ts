/** A finished batch's files + the results of its retries → the files' new bytes. What lay in segments may be gone; the files themselves are the source. */
import { outputLines, type AnsweredRetry, type BatchView, type FileView } from "@nightshift/db";
import { resultCustomId } from "@nightshift/domain";
import { type JoinSource, readLines, readPieces } from "@nightshift/storage";
import type { WorkerDeps } from "../deps.ts";
import { SORTED_BYTES, type ResultContent } from "./result-files.ts";

type RetriedDeps = Pick<WorkerDeps, "db" | "objects">;

const LINE_BREAK = Buffer.from("\n");

/**
 * The output file with what succeeded now; `old` is null where nothing had succeeded before. In the order of the input while
 * it is small, as before; else the new lines follow the old ones.
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
  const oldLines = old === null ? [] : withBreaks(await deps.objects.read(old.blob));
  const oldNumbers = old === null ? [] : await outputLines(deps.db, batch);
  // A file that another rebuild has replaced meanwhile: its compare-and-set fails, whatever the order here.
  if (oldNumbers.length !== oldLines.length) return [...before, ...succeeded];
  const lines = oldLines.map((line, i) => ({ number: oldNumbers[i] ?? 0, line }));
  for await (const { piece, bytes: line } of readPieces(deps.objects, succeeded)) {
    lines.push({ number: piece.line, line });
  }
  lines.sort((a, b) => a.number - b.number);
  return lines.map(({ line }) => line);
}

/**
 * The error file without what succeeded now, and with the new line of each that failed again in the place of its old one;
 * all others keep their bytes. Lines are told by their custom_id: those that were never finished are in no index.
 */
export async function retriedErrors(
  deps: RetriedDeps,
  old: FileView,
  retries: readonly AnsweredRetry[],
): Promise<ResultContent> {
  const changed = new Map<string, AnsweredRetry>();
  for await (const { piece, bytes } of readPieces(deps.objects, retries)) changed.set(resultCustomId(bytes), piece);
  return replaced(deps, old, changed);
}

async function* replaced(
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

/** Bytes in memory that follow one another go out as one: a source each would cost more than its bytes. */
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

/** The lines of a result file, each with the break at its end. */
function withBreaks(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < content.length;) {
    const at = content.indexOf(LINE_BREAK, from);
    const end = at < 0 ? content.length : at + 1;
    lines.push(content.subarray(from, end));
    from = end;
  }
  return lines;
}
