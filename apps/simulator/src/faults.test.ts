import { expect, test } from "@jest/globals";
import { createFaultScript } from "./faults.ts";

test("a request takes the first fault that fits it, until that is used up", () => {
  const script = createFaultScript([
    { match: '"a"', status: 500, times: 2 },
    { match: '"b"', status: 503 },
    { status: 400 },
  ]);
  const take = (text: string) => script.take(Buffer.from(text))?.status ?? null;

  expect(take('{"x":"b"}')).toBe(503);
  expect(take('{"x":"a"}')).toBe(500);
  expect(script.left()).toEqual([
    { match: '"a"', status: 500, times: 1 },
    { status: 400, times: 1 },
  ]);
  expect(take('{"x":"a"}')).toBe(500);
  expect(take('{"x":"a"}')).toBe(400);
  expect(take('{"x":"a"}')).toBeNull();
});
