import { expect, test } from "@jest/globals";
import { createRequestRecord, CUT } from "./record.ts";

test("counts each key and records the statuses of its answers", () => {
  const record = createRequestRecord();

  expect(record.begin("a", 1)).toBe(1);
  record.end("a", 429);
  expect(record.begin("a", 2)).toBe(2);
  expect(record.begin("a", 3)).toBe(3);
  record.end("a", 200);
  expect(record.begin("b", 4)).toBe(1);
  record.end("a", CUT);

  expect([...record.seen()]).toEqual([
    { key: "a", count: 3, statuses: [429, 200, 0] },
    { key: "b", count: 1, statuses: [] },
  ]);
  expect(record.stats()).toEqual({
    requests: 4,
    byStatus: { 0: 1, 200: 1, 429: 1 },
    inFlight: 1,
    maxInFlight: 2,
    firstAt: 1,
    lastAt: 4,
    distinct: 2,
    repeated: 1,
    uncounted: 0,
  });
});

test("counts a key once if it arrives again before its first answer", () => {
  const record = createRequestRecord();

  record.begin("a", 1);
  record.begin("a", 1);
  record.end("a", 200);
  record.end("a", 500);

  expect([...record.seen()]).toEqual([{ key: "a", count: 2, statuses: [200, 500] }]);
});

test("limits memory: counts requests with further keys only in total, and drops old statuses and bodies", () => {
  const record = createRequestRecord(2);
  for (const key of ["a", "b", "c", "c"]) {
    record.begin(key, 1);
    record.end(key, 200);
    record.keep(key, Buffer.from(key), 2);
  }
  for (let i = 0; i < 100; i++) {
    record.begin("a", 2);
    record.end("a", i);
  }

  expect(record.stats()).toMatchObject({ requests: 104, distinct: 2, uncounted: 2 });
  expect([...record.seen()][0]?.statuses).toEqual(Array.from({ length: 32 }, (_, i) => 68 + i));
  expect([record.body("a"), record.body("b"), record.body("c")]).toEqual([null, Buffer.from("b"), Buffer.from("c")]);
});

test("a reset keeps only the number of requests in flight", () => {
  const record = createRequestRecord();
  record.begin("a", 1);
  record.begin("b", 2);
  record.end("b", 200);
  record.keep("b", Buffer.from("b"), 1);

  record.reset();

  expect(record.stats()).toEqual({
    requests: 0,
    byStatus: {},
    inFlight: 1,
    maxInFlight: 1,
    firstAt: null,
    lastAt: null,
    distinct: 0,
    repeated: 0,
    uncounted: 0,
  });
  expect(record.body("b")).toBeNull();
  record.end("a", 200);
  expect(record.stats()).toMatchObject({ inFlight: 0, distinct: 0 });
});
