/** The File object of the API. */
import { expect, test } from "@jest/globals";
import { FileObject } from "@nightshift/domain";
import { presentFile } from "./file.ts";

const row = {
  id: "file-1",
  purpose: "batch",
  filename: "x.jsonl",
  bytes: 446,
  createdAt: new Date("2026-08-19T12:01:13.987Z"),
  expiresAt: new Date("2026-09-18T12:01:13.987Z"),
};

test("a file has every key of the contract, in order, with times in whole seconds", () => {
  expect(JSON.stringify(presentFile(row))).toBe(
    '{"object":"file","id":"file-1","purpose":"batch","filename":"x.jsonl","bytes":446,' +
      '"created_at":1787140873,"expires_at":1789732873,"status":"processed","status_details":null}',
  );
});

test("a file has the keys of the schema, in the same order", () => {
  expect(Object.keys(presentFile(row))).toEqual(Object.keys(FileObject.properties));
});

test("a file that never expires has null in expires_at", () => {
  expect(presentFile({ ...row, expiresAt: null })).toHaveProperty("expires_at", null);
});
