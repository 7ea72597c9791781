/** Tests how a slice's bytes are cut into the lines that are not done yet. */
import { describe, expect, test } from "@jest/globals";
import { claimed, inputLine } from "../../../test/line-fixture.ts";
import { idempotencyKey, tasksOf, todoLines } from "./line-task.ts";

const numbers = (bits: readonly number[]): bigint => bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

test("returns the lines whose bits are set, up to the 64th", () => {
  expect(todoLines(claimed({ firstLine: 100, lineCount: 64, todo: numbers([0, 5, 63]) }))).toEqual([100, 105, 163]);
  expect(todoLines(claimed({ lineCount: 64, todo: 2n ** 64n - 1n }))).toHaveLength(64);
  expect(todoLines(claimed({ todo: 0n }))).toEqual([]);
});

describe("the tasks of a slice", () => {
  const texts = ["a", "é", "c", "d"].map(inputLine);

  test.each([
    ["LF", "\n", ""],
    ["CRLF", "\r\n", ""],
    ["blank lines between lines", "\n\r\n \t\n", ""],
    ["a line break after the last line", "\n", "\n"],
  ])("have their own bytes and their place in the input with %s", (_name, separator, tail) => {
    const before = `${inputLine("before")}${separator}`;
    const input = Buffer.from(before + texts.join(separator) + tail);
    const byteOffset = Buffer.byteLength(before);
    const slice = claimed({
      firstLine: 1,
      lineCount: 4,
      byteOffset,
      byteLength: input.length - byteOffset,
      todo: numbers([1, 3]),
    });

    const tasks = tasksOf(slice, input.subarray(byteOffset));

    expect(tasks.map(({ line }) => line)).toEqual([2, 4]);
    for (const [i, task] of tasks.entries()) {
      const text = texts[1 + 2 * i];
      expect(input.toString("utf8", task.byteOffset, task.byteOffset + task.byteLength)).toBe(text);
      expect(task.request.bytes.toString()).toBe(text);
      expect(task.slice).toBe(slice);
    }
  });

  test("start after the byte order mark of a file", () => {
    const bytes = Buffer.from(`\ufeff${inputLine("a")}\n${inputLine("b")}`);

    const tasks = tasksOf(claimed({ lineCount: 2 }), bytes);

    expect(tasks.map(({ byteOffset }) => byteOffset)).toEqual([3, 3 + inputLine("a").length + 1]);
    expect(tasks[0]?.request.customId.toString()).toBe('"a"');
  });

  test.each([1, 3])(
    "are refused if the bytes have %d lines instead of 2, because the bytes belong to another slice",
    (count) => {
      const bytes = Buffer.from(Array.from({ length: count }, () => inputLine("x")).join("\n"));

      expect(() => tasksOf(claimed({ lineCount: 2 }), bytes)).toThrow(`should have 2 lines and has ${String(count)}`);
    },
  );
});

test("gives each attempt of a request the same idempotency key, and every other request a different key", () => {
  const key = (change: Parameters<typeof claimed>[0], line = 0): string | undefined => {
    const slice = claimed({ lineCount: 2, ...change });
    const tasks = tasksOf(slice, Buffer.from(`${inputLine("a")}\n${inputLine("b")}`));
    const task = tasks[line];
    return task && idempotencyKey(task);
  };

  expect(key({ attempt: 3, gen: 7, sliceNo: 99, owner: "w-2" })).toBe(key({}));
  expect(new Set([key({}), key({}, 1), key({ requestGen: 1 }), key({ batchId: "batch_2" })]).size).toBe(4);
});
