/** Tests the order of unsent lines, and the running totals of their bytes and cost. */
import { expect, test } from "@jest/globals";
import { claimed, oneTask, tasksOfSlice } from "../../../test/line-fixture.ts";
import type { LineTask } from "./line-task.ts";
import { createUnsentLines, type UnsentLine } from "./unsent-lines.ts";

const unsentLine = (task: LineTask): UnsentLine => ({ task, settle: () => undefined });

test("returns the lines of small batches before all bulk lines, each in the order of arrival", () => {
  const unsent = createUnsentLines();
  const arrivals = [
    { batchNo: 1, isBulk: true },
    { batchNo: 2, isBulk: false },
    { batchNo: 3, isBulk: true },
    { batchNo: 4, isBulk: false },
  ];
  for (const change of arrivals) unsent.add(unsentLine(oneTask(change)));

  const order: (number | undefined)[] = [];
  while (unsent.count() > 0) {
    order.push(unsent.first()?.task.slice.batchNo);
    unsent.removeFirst();
  }

  expect(order).toEqual([2, 4, 1, 3]);
  expect(unsent.first()).toBeUndefined();
});

test("counts bytes and cost of the lines that are still unsent", () => {
  const unsent = createUnsentLines();
  const cheap = oneTask({ batchNo: 1 });
  const heavy: LineTask = { ...oneTask({ batchNo: 2 }), cost: { requests: 2, slots: 3 } };
  for (const task of [cheap, heavy, cheap]) unsent.add(unsentLine(task));
  expect(unsent.cost()).toEqual({ requests: 4, slots: 5 });
  expect(unsent.bytes()).toBe(2 * cheap.byteLength + heavy.byteLength);

  unsent.removeFirst();
  expect(unsent.cost()).toEqual({ requests: 3, slots: 4 });

  expect(unsent.remove((task) => task === heavy)).toHaveLength(1);
  expect(unsent.cost()).toEqual({ requests: 1, slots: 1 });
  expect(unsent.bytes()).toBe(cheap.byteLength);

  unsent.removeFirst();
  unsent.removeFirst();
  expect(unsent.cost()).toEqual({ requests: 0, slots: 0 });
  expect(unsent.bytes()).toBe(0);
});

test("keeps the order of the lines that are not removed", () => {
  const unsent = createUnsentLines();
  for (const task of tasksOfSlice(claimed({ lineCount: 4 }))) unsent.add(unsentLine(task));

  expect(unsent.remove(() => false)).toEqual([]);
  const removed = unsent.remove((task) => task.line % 2 === 0);

  expect(removed.map(({ task }) => task.line)).toEqual([0, 2]);
  expect(unsent.remove(() => true).map(({ task }) => task.line)).toEqual([1, 3]);
});
