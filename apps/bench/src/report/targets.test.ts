import { expect, test } from "@jest/globals";
import { formatLimit, judge, targetOf } from "./targets.ts";

test.each([
  [1, 0.8, "reached for"],
  [1, 0.75, "reached for"],
  [1, 0.5, "bar"],
  [1, 0.4999, "missed"],
  [4, 30, "reached for"],
  [4, 31, "bar"],
  [4, 100.1, "missed"],
])("judges the value of row %d: %d is '%s'", (row, value, verdict) => {
  expect(judge(targetOf(row), value)).toBe(verdict);
});

test("shows on which side of a limit the good values are", () => {
  expect(formatLimit(targetOf(1), 0.5)).toBe("≥ 0.5");
  expect(formatLimit(targetOf(4), 100)).toBe("≤ 100");
});

test("throws for a row that the table does not have", () => {
  expect(() => targetOf(99)).toThrow("the table does not have a row 99");
});
