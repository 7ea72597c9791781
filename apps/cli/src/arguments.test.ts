import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { existingFile, httpUrl, writableFile } from "./arguments.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nightshift-arguments-"));
  mkdirSync(path.join(folder, "sub"));
  writeFileSync(path.join(folder, "file"), "text");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("accepts an existing file as requests", () => {
  expect(existingFile(path.join(folder, "file"))).toBe(path.join(folder, "file"));
});

test.each([
  ["missing", "does not exist"],
  ["sub", "It is a folder. Pass a file of requests."],
  ["file/below", "does not exist"],
])("rejects '%s' as requests: %s", (name, words) => {
  expect(() => existingFile(path.join(folder, name))).toThrow(words);
});

test("rejects a device as requests, because it can be read only once", () => {
  expect(() => existingFile("/dev/null")).toThrow("only once");
});

test.each(["file", "new", "sub/new"])("accepts '%s' as an output file", (name) => {
  expect(writableFile(path.join(folder, name))).toBe(path.join(folder, name));
});

test("accepts an output file in the current folder", () => {
  expect(writableFile("surely-not-there.jsonl")).toBe("surely-not-there.jsonl");
});

test.each([
  ["sub", "It is a folder. Pass a file in it."],
  ["missing/", "It is a folder. Pass a file in it."],
  ["missing/new", /The folder \S+\/missing does not exist/],
  ["file/new", /The folder \S+\/file does not exist/],
])("rejects '%s' as an output file: %s", (name, words) => {
  expect(() => writableFile(path.join(folder, name))).toThrow(words);
});

test("rejects a device as an output file", () => {
  expect(() => writableFile("/dev/null")).toThrow("It is not a regular file");
});

test.each([
  ["localhost:8080", "http://localhost:8080"],
  ["https://example.org/v1", "https://example.org/v1"],
])("turns '%s' into the URL %s", (text, url) => {
  expect(httpUrl(text)).toBe(url);
});

test.each(["ftp://x", "http://"])("rejects '%s' as a URL", (text) => {
  expect(() => httpUrl(text)).toThrow("It must be an http:// or https:// URL.");
});
