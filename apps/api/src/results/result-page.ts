/** Reads one page of lines from the result log. It splits the bytes at line breaks and does not parse them. */
import { type Db, resultExtents, type ResultExtent } from "@nightshift/db";
import { RESULT_PAGE } from "@nightshift/domain";
import { type ObjectStore, readPieces } from "@nightshift/storage";
import type { ResultCursor } from "./result-cursor.ts";

const LINE_FEED = 0x0a;

export interface ResultPage {
  /** Each line is a JSON object, without its line break. */
  readonly lines: readonly Buffer[];
  /** The position after the last line, or the old position if there are no lines. */
  readonly next: ResultCursor;
  /** True if the log already has more lines. */
  readonly hasMore: boolean;
}

export interface ResultPageDeps {
  readonly db: Db;
  readonly objects: Pick<ObjectStore, "read">;
}

/**
 * Reads the lines after `after`: at most `limit` lines and RESULT_PAGE.maxBytes, but at least one line if there is one.
 * Rejects with ObjectNotFoundError if maintenance has begun to delete the log.
 */
export async function readResultPage(
  { db, objects }: ResultPageDeps,
  batchNo: number,
  after: ResultCursor,
  limit: number,
): Promise<ResultPage> {
  // Each extent has at least one line. So these extents contain the lines that were read, the lines of the page, and
  // one more line if there is one.
  const extents = await resultExtents(db, batchNo, after.seq, after.lines + limit + 1);
  const { unread, skip } = unreadExtents(extents, after);
  const wanted = extentsOfPage(unread, skip + limit);
  const lines: Buffer[] = [];
  let bytes = 0;
  let toSkip = skip;
  let next = after;
  for await (const { piece, bytes: content } of readPieces(objects, wanted)) {
    for (const line of linesOf(content)) {
      toSkip -= 1;
      if (toSkip >= 0) continue;
      const isFull = lines.length === limit || (lines.length > 0 && bytes + line.length > RESULT_PAGE.maxBytes);
      if (isFull) return { lines, next, hasMore: true };
      lines.push(line);
      bytes += line.length;
      next = { seq: piece.seq, lines: piece.seq === next.seq ? next.lines + 1 : 1 };
    }
  }
  return { lines, next, hasMore: wanted.length < unread.length };
}

/** Returns the extents with unread lines, and how many lines of the first one were already read. */
function unreadExtents(
  extents: readonly ResultExtent[],
  after: ResultCursor,
): { unread: readonly ResultExtent[]; skip: number } {
  let skip = after.lines;
  let first = 0;
  for (const { seq, lines } of extents) {
    if (seq > after.seq) return { unread: extents.slice(first), skip: 0 };
    if (lines > skip) break;
    skip -= lines;
    first += 1;
  }
  return { unread: extents.slice(first), skip };
}

/** Returns the first extents that together have enough lines or bytes for a page. */
function extentsOfPage(extents: readonly ResultExtent[], lines: number): readonly ResultExtent[] {
  let linesLeft = lines;
  let bytesLeft: number = RESULT_PAGE.maxBytes;
  let count = 0;
  for (const extent of extents) {
    if (linesLeft <= 0 || bytesLeft <= 0) break;
    linesLeft -= extent.lines;
    bytesLeft -= extent.length;
    count += 1;
  }
  return extents.slice(0, count);
}

function* linesOf(content: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = content.indexOf(LINE_FEED); end >= 0; end = content.indexOf(LINE_FEED, start)) {
    yield content.subarray(start, end);
    start = end + 1;
  }
}
