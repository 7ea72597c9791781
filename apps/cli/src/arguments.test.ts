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

test("a file that is there can be read", () => {
  expect(existingFile(path.join(folder, "file"))).toBe(path.join(folder, "file"));
});

test.each([
  ["missing", "no such file"],
  ["sub", "It is a folder: name a file of requests."],
  ["file/below", "no such file"],
])("%s cannot be read as requests: %s", (name, words) => {
  expect(() => existingFile(path.join(folder, name))).toThrow(words);
});

test("what can be read only once is no file of requests", () => {
  expect(() => existingFile("/dev/null")).toThrow("only once");
});

test.each(["file", "new", "sub/new"])("%s can be written", (name) => {
  expect(writableFile(path.join(folder, name))).toBe(path.join(folder, name));
});

test("a file without a folder in its name is written here", () => {
  expect(writableFile("surely-not-there.jsonl")).toBe("surely-not-there.jsonl");
});

test.each([
  ["sub", "It is a folder: name a file in it."],
  ["missing/", "It is a folder: name a file in it."],
  ["missing/new", /There is no folder \S+\/missing: make it first/],
  ["file/new", /There is no folder \S+\/file: make it first/],
])("%s cannot be written: %s", (name, words) => {
  expect(() => writableFile(path.join(folder, name))).toThrow(words);
});

test("a device is never replaced by a file", () => {
  expect(() => writableFile("/dev/null")).toThrow("It is no file");
});

test.each([
  ["localhost:8080", "http://localhost:8080"],
  ["https://example.org/v1", "https://example.org/v1"],
])("%s is the address %s", (text, url) => {
  expect(httpUrl(text)).toBe(url);
});

test.each(["ftp://x", "http://"])("%s is no address", (text) => {
  expect(() => httpUrl(text)).toThrow("It is no http:// address.");
});
