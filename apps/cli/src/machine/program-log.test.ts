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

/** Sends these lines as the output of a program, and returns what the log did with them. */
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
  return { shown, lastErrorLines: log.lastErrorLines(), text: readFileSync(file, "utf8") };
}

test("writes everything to the file, and shows warnings and errors with their cause", async () => {
  const lines = [
    entry("info", "batch finished"),
    entry("warn", "a store is unavailable"),
    entry("error", "cannot record", { err: { message: "disk full" } }),
  ];

  const { shown, text } = await follow(lines);

  expect(text).toBe(lines.map((line) => `${line}\n`).join(""));
  expect(shown).toEqual(["worker warn: a store is unavailable", "worker error: cannot record: disk full"]);
});

test("shows a repeated message once", async () => {
  const { shown } = await follow([entry("warn", "unavailable"), entry("warn", "unavailable"), entry("warn", "back")]);

  expect(shown).toEqual(["worker warn: unavailable", "worker warn: back"]);
});

test("keeps the plain lines on stderr as the reason why a program ended", async () => {
  const { lastErrorLines, shown } = await follow(["{ not json"], ["The worker cannot start:", "  PORT is wrong"]);

  expect(lastErrorLines).toBe("The worker cannot start:\n  PORT is wrong");
  expect(shown).toEqual([]);
});

test("keeps the log of the previous start", async () => {
  await follow([entry("info", "first")]);
  await follow([entry("info", "second")]);

  expect(readFileSync(path.join(folder, "worker.log.1"), "utf8")).toContain("first");
  expect(readFileSync(path.join(folder, "worker.log"), "utf8")).not.toContain("first");
});
