/** Tests leases in Postgres: several workers at once, pauses, and the effects of a restart. */
import { expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { declareUpstream, type Lease, type LeaseRequest, leaseUpstream, pauseUpstream } from "../src/index.ts";
import { newUpstream } from "@nightshift/testing/batches";

const database = useDatabase();

function lease(
  upstream: string,
  worker: string,
  request: Partial<LeaseRequest> = {},
  lineMs: number | null = null,
): Promise<Lease> {
  const all = {
    wantedPermits: 1_000,
    ceiling: 0,
    wantedCredits: 0,
    hasWaited: false,
    throttled: 0,
    answered: 0,
    ...request,
  };
  return leaseUpstream(database.db(), upstream, worker, all, { linesPerSecond: 1, lineMs });
}

async function held(upstream: string): Promise<number> {
  const { rows } = await database
    .db()
    .query<{ held: number }>("select coalesce(sum(held), 0)::int as held from permits where upstream = $1", [upstream]);
  return rows[0]?.held ?? 0;
}

async function upstreamRow(name: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database
    .db()
    .query<Record<string, unknown>>(
      "select concurrency, concurrency_now as now, line_ms from upstreams where name = $1",
      [name],
    );
  return rows[0];
}

test("shares the permits between four workers that lease at once, and never grants more", async () => {
  const upstream = await newUpstream(database.db(), 10);
  const sums: number[] = [];

  const own = new Map(["a", "b", "c", "d"].map((worker) => [worker, 0]));
  const isShared = (): boolean => Math.min(...own.values()) > 0;

  // Each worker continues until all have permits. A worker that stopped earlier would keep all the permits that it got
  // while it was alone.
  await Promise.all(
    [...own.keys()].map(async (worker) => {
      for (let round = 0; round < 12 || (round < 500 && !isShared()); round += 1) {
        const { permits } = await lease(upstream, worker, { ceiling: own.get(worker) ?? 0 });
        own.set(worker, permits);
        sums.push(await held(upstream));
      }
    }),
  );

  expect(Math.max(...sums)).toBeLessThanOrEqual(10);
  expect([...own.values()].reduce((sum, permits) => sum + permits, 0)).toBeLessThanOrEqual(10);
  expect(isShared()).toBe(true);
});

test("gives the permits of an idle worker to the other one", async () => {
  const upstream = await newUpstream(database.db(), 10);
  expect(await lease(upstream, "a")).toMatchObject({ permits: 10, held: 10, credits: null, pausedMs: 0 });
  expect(await lease(upstream, "b")).toMatchObject({ permits: 0 });
  expect(await lease(upstream, "a", { ceiling: 10 })).toMatchObject({ permits: 5, held: 10 });
  expect(await lease(upstream, "a", { ceiling: 5 })).toMatchObject({ permits: 5, held: 5 });
  expect(await lease(upstream, "b")).toMatchObject({ permits: 5 });

  await lease(upstream, "a", { wantedPermits: 0 });

  expect(await lease(upstream, "b", { ceiling: 5 })).toMatchObject({ permits: 10 });
});

test("grants the single credit of a slow rate to one of several concurrent leases", async () => {
  const upstream = await newUpstream(database.db());
  await declareUpstream(database.db(), { name: upstream, concurrency: 100, requestsPerMinute: 60, sliceLines: null });
  await database
    .db()
    .query("update upstreams set request_credits = 1, refilled_at = clock_timestamp() where name = $1", [upstream]);

  const leases = await Promise.all(["a", "b", "c", "d"].map((worker) => lease(upstream, worker, { wantedCredits: 5 })));

  expect(leases.reduce((sum, { credits }) => sum + (credits ?? NaN), 0)).toBe(1);
});

test("stops the credits of all workers during a pause, and keeps a longer pause", async () => {
  const upstream = await newUpstream(database.db());
  await declareUpstream(database.db(), {
    name: upstream,
    concurrency: 100,
    requestsPerMinute: 60_000,
    sliceLines: null,
  });
  await pauseUpstream(database.db(), upstream, 60_000);
  await pauseUpstream(database.db(), upstream, 10);

  const paused = await lease(upstream, "a", { wantedCredits: 10 });

  expect(paused.credits).toBe(0);
  expect(paused.pausedMs).toBeGreaterThan(10_000);
  expect(paused.pausedMs).toBeLessThanOrEqual(60_000);
});

test("shrinks the concurrency on throttled replies, and keeps it at a restart with the same limit", async () => {
  const upstream = await newUpstream(database.db(), 100);
  await lease(upstream, "a", { throttled: 30, ceiling: 100 });
  const shrunk = await upstreamRow(upstream);
  expect(Number(shrunk?.["now"])).toBeLessThan(100);

  await declareUpstream(database.db(), { name: upstream, concurrency: 100, requestsPerMinute: 5, sliceLines: null });
  expect(await upstreamRow(upstream)).toMatchObject({ concurrency: 100, now: shrunk?.["now"] });

  await declareUpstream(database.db(), { name: upstream, concurrency: 40, requestsPerMinute: null, sliceLines: null });
  expect(await upstreamRow(upstream)).toMatchObject({ concurrency: 40, now: 40 });
});

test("keeps a moving average of a line's time, which a lease without replies does not change", async () => {
  const upstream = await newUpstream(database.db());
  await lease(upstream, "a");
  expect(await upstreamRow(upstream)).toMatchObject({ line_ms: null });

  await lease(upstream, "a", {}, 100);
  expect(await upstreamRow(upstream)).toMatchObject({ line_ms: 100 });

  await lease(upstream, "a", {}, 200);
  await lease(upstream, "b", {}, null);
  const mean = Number((await upstreamRow(upstream))?.["line_ms"]);
  expect(mean).toBeGreaterThan(100);
  expect(mean).toBeLessThan(200);
});

test("rejects a lease of an upstream that was never declared", async () => {
  await expect(lease("unheard of", "a")).rejects.toThrow("unheard of was never declared");
});
