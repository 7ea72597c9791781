/** The file name in the Content-Disposition header. */
import { expect, test } from "@jest/globals";
import { contentDisposition } from "./content-disposition.ts";

test.each([
  ["x.jsonl", 'attachment; filename="x.jsonl"'],
  ["my file (1).jsonl", 'attachment; filename="my file (1).jsonl"'],
  ['a"b\\c', String.raw`attachment; filename="a\"b\\c"`],
  ["größe.jsonl", `attachment; filename="gr??e.jsonl"; filename*=UTF-8''gr%C3%B6%C3%9Fe.jsonl`],
  ["日本🙂(1)", `attachment; filename="???(1)"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%F0%9F%99%82%281%29`],
  ["a\r\nset-cookie: b", `attachment; filename="a??set-cookie: b"; filename*=UTF-8''a%0D%0Aset-cookie%3A%20b`],
])("encodes %j as %s", (filename, header) => {
  expect(contentDisposition(filename)).toBe(header);
});
