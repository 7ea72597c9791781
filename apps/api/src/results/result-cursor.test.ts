/** Result cursors: the parser accepts printed cursors only. */
import { expect, test } from "@jest/globals";
import { BEGINNING, parseCursor, printCursor } from "./result-cursor.ts";

test.each([BEGINNING, { seq: 1, lines: 1 }, { seq: 123_456_789_012_345, lines: 50_000 }])("reads back %j", (cursor) => {
  expect(parseCursor(printCursor(cursor))).toEqual(cursor);
});

const printed = (text: string): string => Buffer.from(text).toString("base64url");

test.each(["", "file-1", "r1:1:1", printed("r1:1:50001"), printed("r1:-1:0"), printed("r2:1:1"), printed("r1:1:1 ")])(
  "refuses %j",
  (text) => {
    expect(() => parseCursor(text)).toThrow("Invalid value for 'after': it must be the next_cursor of a page");
  },
);
