/**
 * Prints and parses positions in the results of a batch. A position says what a client has read: all commits before
 * `seq`, and the first `lines` lines of commit `seq`. Its text is opaque to clients.
 */
import { errors, MAX_BATCH_LINES } from "@nightshift/domain";

export interface ResultCursor {
  readonly seq: number;
  /** The number of lines of commit `seq` that were read. */
  readonly lines: number;
}

export const BEGINNING: ResultCursor = { seq: 0, lines: 0 };

/** Returns the text of a cursor for clients. */
export function printCursor({ seq, lines }: ResultCursor): string {
  return Buffer.from(`r1:${String(seq)}:${String(lines)}`).toString("base64url");
}

/** Parses the text of a cursor. Throws a RequestError if the text is not a cursor. */
export function parseCursor(text: string): ResultCursor {
  const found = /^r1:(\d{1,15}):(\d{1,5})$/.exec(Buffer.from(text, "base64url").toString("latin1"));
  const cursor = { seq: Number(found?.[1]), lines: Number(found?.[2]) };
  if (found === null || cursor.lines > MAX_BATCH_LINES) {
    throw errors.outOfRange("after", "it must be the next_cursor of a page of these results, or be left out");
  }
  return cursor;
}
