/**
 * Tests the arithmetic of invariant 7: concurrency and rate hold over all workers, however leases and sends overlap.
 */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { grant, type Grant, type LeaseRequest, type UpstreamState } from "./grant.ts";

/** A number greater than the number of permits in these tests. */
const MANY = 1_000;
const hungry = (count: number): number[] => Array.from({ length: count }, () => MANY);

const idle: UpstreamState = {
  concurrency: 10,
  concurrencyNow: 10,
  requestsPerMinute: null,
  credits: 0,
  sinceRefillMs: 0,
  sinceShrinkMs: 60_000,
  heldByOthers: 0,
  othersWanted: [],
  othersWithout: 0,
};

const quiet: LeaseRequest = {
  wantedPermits: MANY,
  ceiling: 0,
  wantedCredits: 0,
  hasWaited: false,
  throttled: 0,
  answered: 0,
};

describe("permits", () => {
  test.each([
    [{ othersWanted: hungry(0), heldByOthers: 0 }, 10],
    [{ othersWanted: hungry(1), heldByOthers: 0 }, 5],
    [{ othersWanted: hungry(2), heldByOthers: 0 }, 4],
    [{ othersWanted: hungry(1), heldByOthers: 8 }, 2],
    [{ othersWanted: hungry(1), heldByOthers: 10 }, 0],
    [{ othersWanted: hungry(1), heldByOthers: 12 }, 0],
    [{ othersWanted: hungry(4), heldByOthers: 7, othersWithout: 1 }, 2],
    [{ othersWanted: hungry(4), heldByOthers: 8, othersWithout: 1 }, 1],
    [{ othersWanted: hungry(20), heldByOthers: 9, othersWithout: 11 }, 1],
  ])("when the other workers are %o, a worker with lines gets %d of ten permits", (others, permits) => {
    expect(grant({ ...idle, ...others }, quiet).permits).toBe(permits);
  });

  test("are limited to what the worker asked for, but only under contention", () => {
    const contended = { ...idle, othersWanted: hungry(1) };

    expect(grant(contended, { ...quiet, wantedPermits: 3, ceiling: 3 })).toMatchObject({ permits: 3, held: 3 });
    expect(grant({ ...idle, othersWanted: [3], heldByOthers: 3 }, quiet).permits).toBe(7);
    expect(grant({ ...idle, othersWanted: [2] }, { ...quiet, wantedPermits: 3 }).permits).toBe(8);
  });

  test("are 0 for a worker that wants none, but its lines in flight still count as held", () => {
    expect(grant(idle, { ...quiet, wantedPermits: 0, ceiling: 3 })).toMatchObject({ permits: 0, held: 3 });
  });

  test("count as held until the worker has given them back", () => {
    expect(grant({ ...idle, othersWanted: hungry(1) }, { ...quiet, ceiling: 10 })).toMatchObject({
      permits: 5,
      held: 10,
    });
  });

  test("never allow more lines in flight than the concurrency, in any interleaving of leases and sends", () => {
    const steps = fc.array(fc.record({ who: fc.nat(3), act: fc.constantFrom(...ACTS) }), {
      minLength: 50,
      maxLength: 400,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 12 }), (some, concurrency) => {
        const simulation = simulateLeases(4, concurrency);
        for (const { who, act } of some) {
          simulation.act(who, act);
          expect(simulation.inFlight()).toBeLessThanOrEqual(concurrency);
        }
      }),
    );
  });

  test("give each worker with lines its share after some rounds of leases", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 8, max: 300 }), (count, concurrency) => {
        const held = Array.from({ length: count }, () => 0);
        // Runs twice as many rounds as are needed if each worker gives up one permit in each round.
        for (let round = 0; round < 2 * count; round += 1) {
          for (let i = 0; i < count; i += 1) {
            const others = held.filter((_, other) => other !== i);
            const state = {
              ...idle,
              concurrency,
              concurrencyNow: concurrency,
              heldByOthers: others.reduce((sum, n) => sum + n, 0),
              othersWanted: hungry(count - 1),
              othersWithout: others.filter((n) => n === 0).length,
            };
            held[i] = grant(state, quiet).permits;
          }
        }
        expect(Math.min(...held)).toBeGreaterThan(0);
        expect(Math.max(...held)).toBeLessThanOrEqual(Math.ceil(concurrency / count));
        expect(held.reduce((sum, n) => sum + n, 0)).toBe(concurrency);
      }),
    );
  });
});

describe("credits", () => {
  test("never exceed the rate in any window of 60 s, for any intervals and requests", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.array(fc.integer({ min: 100, max: 9_000 }), { minLength: 20, maxLength: 60 }),
        fc.double({ min: 0, max: 1_000_000, noNaN: true }),
        (requestsPerMinute, intervals, startCredits) => {
          let credits = startCredits;
          let now = 0;
          const sent: { at: number; count: number }[] = [];
          for (let i = 0; now < 150_000; i += 1) {
            const sinceRefillMs = intervals[i % intervals.length] ?? 1;
            now += sinceRefillMs;
            const given = grant(
              { ...idle, requestsPerMinute, credits, sinceRefillMs },
              { ...quiet, wantedCredits: 1e9 },
            );
            credits = given.creditsLeft;
            sent.push({ at: now, count: given.credits });
            const window = sent.filter(({ at }) => at > now - 60_000).reduce((sum, { count }) => sum + count, 0);
            expect(window).toBeLessThanOrEqual(requestsPerMinute);
          }
        },
      ),
    );
  });

  test.each([1, 10, 60, 600, 30_000])(
    "use at least nine tenths of a rate of %d requests per minute",
    (requestsPerMinute) => {
      let credits = 0;
      let sent = 0;
      for (let now = 0; now < 1_200_000; now += 100) {
        const given = grant(
          { ...idle, requestsPerMinute, credits, sinceRefillMs: 100 },
          { ...quiet, wantedCredits: 1e9 },
        );
        credits = given.creditsLeft;
        sent += given.credits;
      }

      expect(sent).toBeGreaterThanOrEqual(requestsPerMinute * 20 * 0.9);
      expect(sent).toBeLessThanOrEqual(requestsPerMinute * 20);
    },
  );

  test("expire after a quarter of a second, or after a second if lines have waited since the last lease", () => {
    const late = { ...idle, requestsPerMinute: 60_000, sinceRefillMs: 5_000 };

    expect(grant(late, { ...quiet, wantedCredits: 1e9 }).credits).toBe(245);
    expect(grant(late, { ...quiet, wantedCredits: 1e9, hasWaited: true }).credits).toBe(980);
  });

  test("are granted as requested, and a negative request takes nothing", () => {
    const state = { ...idle, requestsPerMinute: 60_000, credits: 50 };

    expect(grant(state, { ...quiet, wantedCredits: 20 })).toMatchObject({ credits: 20, creditsLeft: 30 });
    expect(grant(state, { ...quiet, wantedCredits: -5 })).toMatchObject({ credits: 0, creditsLeft: 50 });
  });
});

describe("the upstream's concurrency", () => {
  const shrink = (state: UpstreamState): Grant => grant(state, { ...quiet, throttled: 7, answered: 3 });
  const grow = (state: UpstreamState): Grant => grant(state, { ...quiet, answered: 1 });

  test("shrinks when the upstream throttles, at most once a second, and never below 1", () => {
    expect(shrink(idle)).toMatchObject({ concurrencyNow: 7, hasShrunk: true, permits: 7 });
    expect(shrink({ ...idle, sinceShrinkMs: 900 })).toMatchObject({ concurrencyNow: 10, hasShrunk: false });
    expect(shrink({ ...idle, concurrencyNow: 1 })).toMatchObject({ concurrencyNow: 1, permits: 1 });
  });

  test("grows back with each lease after replies, up to the configured value", () => {
    let state = { ...idle, concurrencyNow: 2.5 };
    const seen: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      state = { ...state, concurrencyNow: grow(state).concurrencyNow };
      seen.push(state.concurrencyNow);
    }

    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(10);
    expect(grant({ ...idle, concurrencyNow: 4 }, quiet).concurrencyNow).toBe(4);
  });

  test("shrinks at once if the configured value is lower", () => {
    expect(grow({ ...idle, concurrency: 3, concurrencyNow: 10 }).concurrencyNow).toBe(3);
  });
});

const ACTS = ["send", "send", "send", "reply", "ask", "ask after a 429", "rest", "commit", "read"] as const;
type Act = (typeof ACTS)[number];

/** The state of one worker, as the upstream and Postgres see it. */
interface SimulatedWorker {
  inFlight: number;
  permits: number;
  held: number;
  needed: boolean;
  /** A lease request on its way to Postgres. */
  asked: LeaseRequest | null;
  /** The answer, which the worker has not read yet. */
  given: Grant | null;
}

/** Simulates workers that send and receive while their leases are in progress. */
function simulateLeases(count: number, concurrency: number): { act(who: number, act: Act): void; inFlight(): number } {
  const workers = Array.from({ length: count }, (): SimulatedWorker => {
    return { inFlight: 0, permits: 0, held: 0, needed: false, asked: null, given: null };
  });
  let concurrencyNow = concurrency;

  const ask = (worker: SimulatedWorker, change: Partial<LeaseRequest>): void => {
    if (worker.asked !== null || worker.given !== null) return;
    worker.asked = { ...quiet, answered: 1, ceiling: Math.max(worker.inFlight, worker.permits), ...change };
  };
  const commit = (worker: SimulatedWorker): void => {
    if (worker.asked === null) return;
    const others = workers.filter((other) => other !== worker);
    const state = {
      ...idle,
      concurrency,
      concurrencyNow,
      heldByOthers: others.reduce((sum, { held }) => sum + held, 0),
      othersWanted: others.filter(({ needed }) => needed).map(() => MANY),
      othersWithout: others.filter(({ needed, held }) => needed && held === 0).length,
    };
    const given = grant(state, worker.asked);
    concurrencyNow = given.concurrencyNow;
    Object.assign(worker, { held: given.held, needed: worker.asked.wantedPermits > 0, asked: null, given });
  };
  const acts: Record<Act, (worker: SimulatedWorker) => void> = {
    send: (worker) => {
      if (worker.inFlight < worker.permits) worker.inFlight += 1;
    },
    reply: (worker) => {
      if (worker.inFlight > 0) worker.inFlight -= 1;
    },
    ask: (worker) => {
      ask(worker, {});
    },
    "ask after a 429": (worker) => {
      ask(worker, { throttled: 1 });
    },
    rest: (worker) => {
      if (worker.asked === null && worker.given === null) worker.permits = 0;
      ask(worker, { wantedPermits: 0 });
    },
    commit,
    read: (worker) => {
      if (worker.given !== null) Object.assign(worker, { permits: worker.given.permits, given: null });
    },
  };
  return {
    act(who, act) {
      const worker = workers[who];
      if (worker !== undefined) acts[act](worker);
    },
    inFlight: () => workers.reduce((sum, worker) => sum + worker.inFlight, 0),
  };
}
