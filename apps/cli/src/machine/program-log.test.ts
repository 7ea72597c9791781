import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openProgramLog } from "./program-log.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nightshift-log-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const entry = (level: string, msg: string, rest: object = {}): string =>
  JSON.stringify({ level, name: "worker", msg, ...rest });

/** Lets a program say these lines, and returns what became of them. */
async function follow(stdout: readonly string[], stderr: readonly string[] = []) {
  const shown: string[] = [];
  const file = path.join(folder, "worker.log");
  const log = openProgramLog(file, (name, level, message) => shown.push(`${name} ${level}: ${message}`));
  const output = { stdout: new PassThrough(), stderr: new PassThrough() };
  log.follow(output);
  output.stdout.end(stdout.map((line) => `${line}\n`).join(""));
  output.stderr.end(stderr.map((line) => `${line}\n`).join(""));
  await Promise.all([once(output.stdout, "close"), once(output.stderr, "close")]);
  log.close();
  return { shown, lastWords: log.lastWords(), text: readFileSync(file, "utf8") };
}

test("everything is kept in the file, and warnings and errors are shown with their reason", async () => {
  const lines = [
    entry("info", "batch finished"),
    entry("warn", "a store is away"),
    entry("error", "cannot record", { err: { message: "disk full" } }),
  ];

  const { shown, text } = await follow(lines);

  expect(text).toBe(lines.map((line) => `${line}\n`).join(""));
  expect(shown).toEqual(["worker warn: a store is away", "worker error: cannot record: disk full"]);
});

test("the same words are shown once", async () => {
  const { shown } = await follow([entry("warn", "away"), entry("warn", "away"), entry("warn", "back")]);

  expect(shown).toEqual(["worker warn: away", "worker warn: back"]);
});

test("what is said on stderr in plain words is the reason of an end", async () => {
  const { lastWords, shown } = await follow(["{ not json"], ["The worker cannot start:", "  PORT is wrong"]);

  expect(lastWords).toBe("The worker cannot start:\n  PORT is wrong");
  expect(shown).toEqual([]);
});

test("a new start keeps the log of the one before", async () => {
  await follow([entry("info", "first")]);
  await follow([entry("info", "second")]);

  expect(readFileSync(path.join(folder, "worker.log.1"), "utf8")).toContain("first");
  expect(readFileSync(path.join(folder, "worker.log"), "utf8")).not.toContain("first");
});
