/** Where a reader of a batch's results is: so many lines of one commit, and all before it. Opaque on the wire. */
import { errors, MAX_BATCH_LINES } from "@nightshift/domain";

export interface ResultCursor {
  readonly seq: number;
  /** Lines of that `seq` that were read. */
  readonly lines: number;
}

export const BEGINNING: ResultCursor = { seq: 0, lines: 0 };

/** For clients, who must not read it. */
export function printCursor({ seq, lines }: ResultCursor): string {
  return Buffer.from(`r1:${String(seq)}:${String(lines)}`).toString("base64url");
}

/** Throws the RequestError of a text that is no cursor of ours. */
export function parseCursor(text: string): ResultCursor {
  const found = /^r1:(\d{1,15}):(\d{1,5})$/.exec(Buffer.from(text, "base64url").toString("latin1"));
  const cursor = { seq: Number(found?.[1]), lines: Number(found?.[2]) };
  if (found === null || cursor.lines > MAX_BATCH_LINES) {
    throw errors.outOfRange("after", "it must be the next_cursor of a page of these results, or be left out");
  }
  return cursor;
}
