import { expect, test } from "@jest/globals";
import { Readable } from "node:stream";
import { readLines } from "./read-lines.ts";

function objectOf(chunks: readonly string[]): { stream: Readable; openRead: (key: string) => Promise<Readable> } {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return {
    stream,
    openRead: (key) => (key === "a" ? Promise.resolve(stream) : Promise.reject(new Error(`no ${key}`))),
  };
}

test("yields the lines that each chunk completes, then the last line without a line break", async () => {
  const yielded: (string | undefined)[][] = [];
  for await (const lines of readLines(objectOf(["one\ntw", "o\n\nthree\nfo", "ur"]), "a", 100)) {
    yielded.push(lines.map(({ bytes }) => bytes?.toString()));
  }

  expect(yielded).toEqual([["one"], ["two", "three"], [], ["four"]]);
});

test("yields a line over the limit without its bytes", async () => {
  const first = await readLines(objectOf(["four\nsix six\n"]), "a", 5).next();

  expect((first.value ?? []).map(({ number, bytes }) => [number, bytes?.toString()])).toEqual([
    [1, "four"],
    [2, undefined],
  ]);
});

test("closes the object's stream when the reader stops early", async () => {
  const { stream, openRead } = objectOf(["one\n", "two\n"]);
  for await (const lines of readLines({ openRead }, "a", 100)) if (lines.length > 0) break;

  expect(stream.destroyed).toBe(true);
});

test("rejects when the object does not exist", async () => {
  await expect(readLines(objectOf([]), "b", 100).next()).rejects.toThrow("no b");
});
