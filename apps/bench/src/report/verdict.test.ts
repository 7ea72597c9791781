/** The verdict on a figure, on both senses of a row and at its edges. */
import { expect, test } from "@jest/globals";
import { judge, rowOf, showLimit } from "./verdict.ts";

test.each([
  [1, 0.8, "reached for"],
  [1, 0.75, "reached for"],
  [1, 0.5, "bar"],
  [1, 0.4999, "missed"],
  [4, 30, "reached for"],
  [4, 31, "bar"],
  [4, 100.1, "missed"],
])("row %d with %d is: %s", (row, value, verdict) => {
  expect(judge(rowOf(row), value)).toBe(verdict);
});

test("a limit shows which side of it is good", () => {
  expect(showLimit(rowOf(1), 0.5)).toBe("≥ 0.5");
  expect(showLimit(rowOf(4), 100)).toBe("≤ 100");
});

test("a row that is not in the table is refused", () => {
  expect(() => rowOf(99)).toThrow("there is no row 99");
});
