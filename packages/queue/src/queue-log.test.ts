import { expect, jest, test } from "@jest/globals";
import { createErrorLog } from "./queue-log.ts";

test("logs errors that differ only in numbers once in 5 s, with a count", () => {
  jest.useFakeTimers();
  const lines: unknown[] = [];
  const errorLog = createErrorLog({ info: () => undefined, warn: (fields) => lines.push(fields) });
  const [batches, feeds] = [errorLog("batches"), errorLog("feeds")];
  const refused = new Error("connect ECONNREFUSED 127.0.0.1:6379");
  const lock = (job: number) => new Error(`could not renew lock for job ${String(job)}`);

  for (let i = 0; i < 10; i++) batches(refused);
  feeds(refused);
  const [first, second] = [lock(1), lock(2)];
  feeds(first);
  feeds(second);
  jest.advanceTimersByTime(5001);
  feeds(refused);

  expect(lines).toEqual([
    { err: refused, source: "batches", suppressed: 0 },
    { err: first, source: "feeds", suppressed: 0 },
    { err: refused, source: "feeds", suppressed: 10 },
  ]);
  jest.useRealTimers();
});
