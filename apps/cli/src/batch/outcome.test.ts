import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type OpenAI from "openai";
import type { Screen } from "../screen.ts";
import { deliver, summarizeErrorLine, isFullyCompleted } from "./outcome.ts";
import type { Batch } from "./follow-batch.ts";

const line = (rest: object): string => JSON.stringify({ id: "batch_req_1", custom_id: "req-1", ...rest });

test("summarizes an error of the upstream by status, code and message", () => {
  const error = { message: "Too\nlong", type: "invalid_request_error", param: null, code: "context_length_exceeded" };
  const text = line({ response: { status_code: 400, request_id: "req_1", body: { error } }, error: null });

  expect(summarizeErrorLine(text)).toBe("req-1: status 400, context_length_exceeded, Too long");
});

test("summarizes a response that is not a JSON object by its status", () => {
  const text = line({ response: { status_code: 502, request_id: "req_1", body: "<html>" }, error: null });

  expect(summarizeErrorLine(text)).toBe("req-1: status 502");
});

test("summarizes a line without a response by its error", () => {
  const text = line({ response: null, error: { code: "batch_expired", message: "It was too late." } });

  expect(summarizeErrorLine(text)).toBe("req-1: batch_expired, It was too late.");
});

test("shortens an error line of an unknown shape", () => {
  expect(summarizeErrorLine(JSON.stringify("x".repeat(500)))).toHaveLength(160);
});

test.each([
  ["completed", 0, true],
  ["completed", 1, false],
  ["expired", 0, false],
  ["cancelled", 0, false],
  ["failed", 0, false],
] as const)("a batch that is %s with %i failed lines is fully completed: %s", (status, failed, expected) => {
  const batch = { status, request_counts: { total: 3, completed: 3 - failed, failed } } as Batch;

  expect(isFullyCompleted(batch)).toBe(expected);
});

describe("with files of an earlier batch at the target paths", () => {
  const client = {
    files: { content: (id: string) => Promise.resolve(new Response(JSON.stringify(id))) },
  } as unknown as OpenAI;
  let folder: string;
  let shown: string[];
  const screen: Screen = {
    isTerminal: false,
    stream: process.stderr,
    line: (text = "") => {
      shown.push(text);
    },
    paint: (_colour, text) => text,
  };

  beforeEach(async () => {
    shown = [];
    folder = await mkdtemp(path.join(tmpdir(), "nightshift-"));
    for (const name of ["out.jsonl", "out.errors.jsonl"]) await writeFile(path.join(folder, name), "earlier");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function filesAfter(batch: Partial<Batch>): Promise<Record<string, string>> {
    const targets = { output: path.join(folder, "out.jsonl"), errors: path.join(folder, "out.errors.jsonl") };
    await deliver(client, { id: "batch_1", ...batch } as Batch, targets, screen);
    const names = (await readdir(folder)).sort();
    const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")));
    return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""]));
  }

  test("removes the earlier error file if no line failed", async () => {
    const files = await filesAfter({ status: "completed", output_file_id: "file-out" });

    expect(files).toEqual({ "out.jsonl": '"file-out"' });
    expect(shown).toContain(
      `No line failed. Removed ${path.join(folder, "out.errors.jsonl")}, which was left by an earlier batch.`,
    );
  });

  test("removes the earlier output file if no line succeeded", async () => {
    const files = await filesAfter({ status: "expired", error_file_id: "file-errors" });

    expect(files).toEqual({ "out.errors.jsonl": '"file-errors"' });
    expect(shown.join()).toContain("No line succeeded. Removed ");
  });

  test("keeps both files if validation refused the batch", async () => {
    expect(await filesAfter({ status: "failed" })).toEqual({ "out.jsonl": "earlier", "out.errors.jsonl": "earlier" });
  });
});
