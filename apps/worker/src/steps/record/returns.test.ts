/** Tests how returned lines are grouped into slices. */
import { expect, test } from "@jest/globals";
import { claimed, tasksOfSlice } from "../../../test/line-fixture.ts";
import type { LineTask } from "../send/line-task.ts";
import type { ReturnedLine } from "./lines.ts";
import { toReturns } from "./returns.ts";

const unsent = (task: LineTask | undefined, delayMs = 0): ReturnedLine => {
  if (task === undefined) throw new Error("there is no such line");
  return { task, hasBurnedAttempt: false, delayMs };
};
const burned = (task: LineTask | undefined, delayMs = 0): ReturnedLine => ({
  ...unsent(task, delayMs),
  hasBurnedAttempt: true,
});

test("makes a slice of its own for a line that used up an attempt, with the next attempt's number", () => {
  const slice = claimed({ firstLine: 20, attempt: 1, sliceNo: 7, gen: 3, owner: "w-9", batchNo: 5 });
  const task = tasksOfSlice(slice)[4];

  expect(toReturns([burned(task, 700)])).toEqual([
    {
      batchNo: 5,
      owner: "w-9",
      sliceNo: 7,
      gen: 3,
      lines: [24],
      firstLine: 24,
      lineCount: 1,
      byteOffset: task?.byteOffset,
      byteLength: task?.byteLength,
      attempt: 2,
      delayMs: 700,
    },
  ]);
});

test("makes one slice of a slice's unsent lines, with the bounds of the old slice and the longest delay", () => {
  const slice = claimed({ firstLine: 20, attempt: 1, byteOffset: 1_000, byteLength: 999 });
  const tasks = tasksOfSlice(slice);

  expect(toReturns([unsent(tasks[1], 50), unsent(tasks[9], 900), unsent(tasks[3])])).toMatchObject([
    { lines: [21, 29, 23], firstLine: 20, lineCount: 10, byteOffset: 1_000, byteLength: 999, attempt: 1, delayMs: 900 },
  ]);
});

test("does not mix lines of different slices, or lines that used up an attempt with unsent lines", () => {
  const [a, b] = [tasksOfSlice(claimed({ sliceNo: 1 })), tasksOfSlice(claimed({ sliceNo: 2 }))];

  const returns = toReturns([unsent(a[0]), burned(a[1]), unsent(b[0]), burned(b[1]), burned(b[2]), unsent(a[3])]);

  expect(returns.map(({ sliceNo, lines, attempt }) => [sliceNo, lines, attempt])).toEqual([
    [1, [1], 1],
    [2, [1], 1],
    [2, [2], 1],
    [1, [0, 3], 0],
    [2, [0], 0],
  ]);
});

test("does not mix lines of two claims of the same slice", () => {
  const lost = tasksOfSlice(claimed({ owner: "w-old", gen: 0 }));
  const again = tasksOfSlice(claimed({ owner: "w-new", gen: 1 }));

  const returns = toReturns([unsent(lost[0]), unsent(again[1]), unsent(again[2])]);

  expect(returns.map(({ owner, gen, lines }) => [owner, gen, lines])).toEqual([
    ["w-old", 0, [0]],
    ["w-new", 1, [1, 2]],
  ]);
});

test("returns no slice for no lines", () => {
  expect(toReturns([])).toEqual([]);
});
