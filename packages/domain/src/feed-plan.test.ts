import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type FeedShare,
  type FeedWindow,
  planFeed,
  type PlannedRun,
  sliceLines,
  windowLines,
  WINDOW_BYTES,
} from "./feed-plan.ts";

const empty: FeedWindow = {
  dueLines: 0,
  dueBytes: 0,
  laterLines: 0,
  concurrency: 100,
  requestsPerMinute: null,
  sliceLines: null,
  linesPerSecond: 0,
  lineMs: null,
  linesOut: new Map(),
};

const deadline = new Date("2026-08-20T12:00:00Z");
const share = (batchNo: number, left: number, change: Partial<FeedShare> = {}): FeedShare => {
  return { batchNo, tenant: "one", weight: 1, deadline, outstanding: 0, left, ...change };
};

const linesOf = (runs: readonly PlannedRun[], batchNo: number): number =>
  runs.filter((run) => run.batchNo === batchNo).reduce((sum, { lines }) => sum + lines, 0);
const total = (runs: readonly PlannedRun[]): number => runs.reduce((sum, { lines }) => sum + lines, 0);

const aWindow = fc.record({
  dueLines: fc.nat(500),
  dueBytes: fc.nat(2 * WINDOW_BYTES),
  laterLines: fc.nat(2_000),
  concurrency: fc.integer({ min: 1, max: 300 }),
  requestsPerMinute: fc.option(fc.integer({ min: 1, max: 100_000 })),
  sliceLines: fc.option(fc.integer({ min: 1, max: 64 })),
  linesPerSecond: fc.double({ min: 0, max: 1_000, noNaN: true }),
  lineMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true })),
  linesOut: fc.constant(new Map<string, number>()),
});

const someShares = fc
  .array(
    fc.record({
      tenant: fc.constantFrom("one", "two", "three"),
      weight: fc.constantFrom(0.1, 1, 3),
      deadline: fc.date({ noInvalidDate: true }),
      outstanding: fc.nat(300),
      left: fc.nat(1_000),
    }),
    { maxLength: 20 },
  )
  .map((shares) => shares.map((each, i) => ({ ...each, batchNo: i + 1 })));

test("never exceeds the room of the window, the lines a batch has left, or the size of a slice", () => {
  fc.assert(
    fc.property(aWindow, someShares, (window, shares) => {
      const runs = planFeed(window, shares);
      expect(total(runs)).toBeLessThanOrEqual(Math.max(0, windowLines(window) - window.dueLines));
      for (const { batchNo, left } of shares) expect(linesOf(runs, batchNo)).toBeLessThanOrEqual(left);
      for (const { batchNo, lines } of runs) {
        expect(shares.map((each) => each.batchNo)).toContain(batchNo);
        expect(lines).toBeGreaterThan(0);
        expect(lines).toBeLessThanOrEqual(sliceLines(window));
      }
    }),
  );
});

test("hands out as many lines as the window has room for, or all lines if there are fewer", () => {
  fc.assert(
    fc.property(aWindow, someShares, (window, shares) => {
      const open = { ...window, dueBytes: 0, laterLines: 0 };
      const room = Math.max(0, windowLines(open) - open.dueLines);
      const left = shares.reduce((sum, each) => sum + each.left, 0);
      expect(total(planFeed(open, shares))).toBe(Math.min(room, left));
    }),
  );
});

/** Returns the plan of a reference implementation of planFeed, which searches all shares for each slice. */
function planBySearch(window: FeedWindow, shares: readonly FeedShare[]): PlannedRun[] {
  const isFull = window.dueLines > 0 && window.dueBytes >= WINDOW_BYTES;
  let room = isFull ? 0 : windowLines(window) - window.dueLines;
  const waiting = shares.map((each) => ({ ...each }));
  const weighted = new Map(shares.map(({ tenant, weight }) => [tenant, (window.linesOut.get(tenant) ?? 0) / weight]));
  const keyOf = (each: FeedShare): number[] => [
    weighted.get(each.tenant) ?? 0,
    each.outstanding,
    each.deadline.getTime(),
  ];
  const isBefore = (a: number[], b: number[]): boolean => {
    const differing = a.findIndex((value, i) => value !== b[i]);
    return differing >= 0 && a[differing]! < b[differing]!;
  };
  const runs: PlannedRun[] = [];
  while (room > 0) {
    const open = waiting.filter(({ left }) => left > 0);
    if (open.length === 0) break;
    const next = open.reduce((best, each) => (isBefore(keyOf(each), keyOf(best)) ? each : best));
    const lines = Math.min(sliceLines(window), next.left, room);
    runs.push({ batchNo: next.batchNo, lines });
    Object.assign(next, { left: next.left - lines, outstanding: next.outstanding + lines });
    weighted.set(next.tenant, (weighted.get(next.tenant) ?? 0) + lines / next.weight);
    room -= lines;
  }
  return runs;
}

test("plans the same slices as the reference implementation, which searches all shares", () => {
  const outByTenant = fc.dictionary(fc.constantFrom("one", "two", "three"), fc.nat(50));
  const fewDeadlines = someShares.map((shares) =>
    shares.map((each) => ({ ...each, outstanding: each.outstanding % 5, deadline: new Date(each.left % 3) })),
  );
  fc.assert(
    fc.property(aWindow, outByTenant, fc.oneof(someShares, fewDeadlines), (window, out, shares) => {
      const full = { ...window, laterLines: 0, linesOut: new Map(Object.entries(out)) };

      expect(planFeed(full, shares)).toEqual(planBySearch(full, shares));
    }),
    { numRuns: 500 },
  );
});

describe("fairness", () => {
  test("feeds all lines of a 3-line batch immediately, even beside a batch of 50,000", () => {
    const crowded = { ...empty, dueLines: windowLines(empty) - 3 };

    expect(planFeed(crowded, [share(1, 50_000, { outstanding: 150 }), share(2, 3)])).toEqual([
      { batchNo: 2, lines: 3 },
    ]);
    const busy = { ...crowded, linesOut: new Map([["one", 150]]) };
    expect(planFeed(busy, [share(1, 50_000, { outstanding: 150 }), share(2, 3, { tenant: "two" })])).toEqual([
      { batchNo: 2, lines: 3 },
    ]);
  });

  test("gives the batches of a tenant equal shares, to within a slice", () => {
    const runs = planFeed(empty, [share(1, 50_000), share(2, 50_000), share(3, 50_000)]);

    const shares = [1, 2, 3].map((batchNo) => linesOf(runs, batchNo));
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(sliceLines(empty));
  });

  test("gives a tenant with twice the weight twice the lines, however many batches the other tenant has", () => {
    const shares = [
      share(1, 50_000, { tenant: "heavy", weight: 2 }),
      ...Array.from({ length: 10 }, (_, i) => share(2 + i, 50_000, { tenant: "light" })),
    ];

    const runs = planFeed(empty, shares);

    const heavy = linesOf(runs, 1);
    expect(heavy / (total(runs) - heavy)).toBeCloseTo(2, 0);
  });

  test("counts all lines in slices toward their tenant's share, even if their batches are fully fed", () => {
    const room = { ...empty, dueLines: 100, linesOut: new Map([["one", 100]]) };
    const runs = planFeed(room, [share(1, 50_000), share(2, 50_000, { tenant: "two" })]);

    expect(linesOf(runs, 2)).toBe(total(runs));
  });

  test("prefers the earlier deadline among equals", () => {
    const soon = new Date(deadline.getTime() - 1);

    expect(planFeed(empty, [share(1, 10), share(2, 10, { deadline: soon })])[0]).toMatchObject({ batchNo: 2 });
  });
});

describe("an upstream", () => {
  test("gets nothing when its window is full by lines or by bytes, but always gets a line when nothing is due", () => {
    const batches = [share(1, 10)];

    expect(planFeed({ ...empty, dueLines: windowLines(empty) }, batches)).toEqual([]);
    expect(planFeed({ ...empty, dueLines: 1, dueBytes: WINDOW_BYTES }, batches)).toEqual([]);
    expect(total(planFeed({ ...empty, concurrency: 1, dueBytes: WINDOW_BYTES }, batches))).toBeGreaterThan(0);
  });

  test("gets no further lines once several windows of lines wait for their next attempt", () => {
    expect(planFeed({ ...empty, laterLines: windowLines(empty) }, [share(1, 10)])).not.toEqual([]);
    expect(planFeed({ ...empty, laterLines: 10 * windowLines(empty) }, [share(1, 10)])).toEqual([]);
  });

  test("gets slices of one line when it is slow, and long slices when it replies in milliseconds", () => {
    const one = { ...empty, concurrency: 1 };
    expect(sliceLines({ ...one, lineMs: 20_000 })).toBe(1);
    expect(sliceLines({ ...empty, lineMs: 1 })).toBe(64);
    expect(sliceLines({ ...empty, lineMs: 1, requestsPerMinute: 60 })).toBe(1);
    expect(sliceLines({ ...empty, lineMs: 1, sliceLines: 7 })).toBe(7);
  });
});

test("slices always have 1 to 64 lines", () => {
  fc.assert(
    fc.property(aWindow, (window) => {
      const lines = sliceLines(window);
      expect(lines).toBeGreaterThanOrEqual(1);
      expect(lines).toBeLessThanOrEqual(64);
      expect(Number.isInteger(lines)).toBe(true);
      expect(windowLines(window)).toBeGreaterThanOrEqual(1);
    }),
  );
});
