/** Result log → a page of lines, as bytes: they are cut at their line breaks and never parsed. */
import { type Db, resultExtents, type ResultExtent } from "@nightshift/db";
import { RESULT_PAGE } from "@nightshift/domain";
import { type ObjectStore, readPieces } from "@nightshift/storage";
import type { ResultCursor } from "./result-cursor.ts";

const LINE_FEED = 0x0a;

export interface ResultPage {
  /** Each a JSON object, without its line break. */
  readonly lines: readonly Buffer[];
  /** Behind the last of them; where there are none, where the reader was. */
  readonly next: ResultCursor;
  /** There are more by now. */
  readonly hasMore: boolean;
}

export interface ResultPageDeps {
  readonly db: Db;
  readonly objects: Pick<ObjectStore, "read">;
}

/**
 * The next lines behind `after`, at most `limit` and RESULT_PAGE.maxBytes, but at least one where there is one. Rejects with
 * ObjectNotFoundError where maintenance has begun to delete the log.
 */
export async function readResultPage(
  { db, objects }: ResultPageDeps,
  batchNo: number,
  after: ResultCursor,
  limit: number,
): Promise<ResultPage> {
  // Each extent has a line or more: one beyond those that were read and those that are wanted tells whether there are more.
  const extents = await resultExtents(db, batchNo, after.seq, after.lines + limit + 1);
  const { unread, skip } = beyond(extents, after);
  const wanted = enough(unread, skip + limit);
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

/** The extents that hold unread lines, and how many lines of the first were read. */
function beyond(
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

/** As many extents as have the lines, or the bytes, of a page. */
function enough(extents: readonly ResultExtent[], lines: number): readonly ResultExtent[] {
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
