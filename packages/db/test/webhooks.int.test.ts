/** Tests webhooks: the outbox, claims of deliveries, due deliveries, and retention. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { newWebhookEndpointId, WEBHOOK_EVENT_TYPES, type WebhookEventType } from "@nightshift/domain";
import { until, useDatabase } from "@nightshift/testing";
import {
  type BatchMove,
  type BatchView,
  claimDelivery,
  type ClaimedDelivery,
  deleteWebhookEndpoint,
  dueDeliveries,
  finishBatch,
  forgetWebhookEvents,
  insertWebhookEndpoint,
  listDeliveries,
  moveBatch,
  recordAttempt,
  registerWorker,
  removeWorkers,
  untriedDeliveries,
  withTx,
} from "../src/index.ts";
import { later, newBatch, newTenant, now } from "@nightshift/testing/batches";

const database = useDatabase();

async function newEndpoint(tenant: string, events: WebhookEventType[] = [...WEBHOOK_EVENT_TYPES]): Promise<string> {
  const id = newWebhookEndpointId(() => Buffer.from(randomUUID().replaceAll("-", ""), "hex"));
  const endpoint = { id, tenant, url: "https://example.com/hook", events, secret: "whsec_AA==", createdAt: now };
  if ((await insertWebhookEndpoint(database.db(), endpoint, 20)) !== "inserted") throw new Error("not inserted");
  return id;
}

async function newWorker(): Promise<string> {
  const id = `w-${randomUUID()}`;
  await registerWorker(database.db(), { id, host: "here", pid: 1 });
  return id;
}

async function batchIn(status: string, tenant: string): Promise<BatchView> {
  const batch = await newBatch(database.db(), { tenant });
  await database.db().query("update batches set status = $2 where batch_no = $1", [batch.batchNo, status]);
  return batch;
}

const FAIL: BatchMove = { to: "failed", errors: [] };
const filesOf = (to: "completed" | "expired" | "cancelled"): BatchMove => ({
  to,
  outputFileId: null,
  errorFileId: null,
});

async function eventsOf(batch: BatchView): Promise<Record<string, unknown>[]> {
  const { rows } = await database
    .db()
    .query<Record<string, unknown>>(
      "select id, tenant, type, created_at as at from webhook_events where batch_id = $1",
      [batch.id],
    );
  return rows;
}

/** Returns a due delivery, for a batch that has just failed. */
async function newDelivery(tenant: string): Promise<number> {
  const batch = await newBatch(database.db(), { tenant });
  await moveBatch(database.db(), batch.batchNo, FAIL, now);
  const [delivery] = await untriedDeliveries(database.db(), batch.id);
  if (delivery === undefined) throw new Error("the tenant has no endpoint that wants it");
  return delivery;
}

async function claim(delivery: number, worker: string, at = now): Promise<ClaimedDelivery> {
  const claimed = await claimDelivery(database.db(), delivery, worker, at);
  if (claimed === null) throw new Error("not claimed");
  return claimed;
}

const refusal = (nextAttemptAt: Date | null) => ({
  isAcknowledged: false,
  status: 500,
  error: "answered 500",
  nextAttemptAt,
});

/** Waits outside of a transaction, because pg_stat_activity does not change within one. */
async function isMoveWaiting(): Promise<boolean> {
  const { rowCount } = await database
    .db()
    .query("select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%batches.move_to_failed%'");
  return rowCount === 1;
}

describe("the outbox", () => {
  test.each([
    ["validating", FAIL],
    ["validating", filesOf("expired")],
    ["finalizing", filesOf("completed")],
    ["finalizing", filesOf("expired")],
    ["cancelling", filesOf("cancelled")],
  ])("inserts one event, and a delivery for each matching endpoint, from %s by %j", async (from, move) => {
    const tenant = await newTenant(database.db());
    const type = `batch.${move.to}` as WebhookEventType;
    const wanting = [await newEndpoint(tenant), await newEndpoint(tenant, [type])];
    await newEndpoint(
      tenant,
      WEBHOOK_EVENT_TYPES.filter((other) => other !== type),
    );
    await newEndpoint(await newTenant(database.db()));
    const batch = await batchIn(from, tenant);

    expect(await moveBatch(database.db(), batch.batchNo, move, later(5))).toBe(true);
    expect(await moveBatch(database.db(), batch.batchNo, move, later(6))).toBe(false);

    expect(await eventsOf(batch)).toEqual([
      { id: expect.stringMatching(/^evt_[0-9a-f]{32}$/), tenant, type, at: later(5) },
    ]);
    const lists = await Promise.all(wanting.map((endpoint) => listDeliveries(database.db(), endpoint, 9)));
    expect(lists.flat()).toEqual(
      wanting.map((endpoint) => ({
        id: expect.stringMatching(/^wh_[0-9a-f]{32}$/),
        endpoint,
        eventId: expect.stringMatching(/^evt_/),
        type,
        batchId: batch.id,
        state: "pending",
        attempts: 0,
        lastStatus: null,
        lastError: null,
        createdAt: later(5),
        nextAttemptAt: later(5),
        deliveredAt: null,
      })),
    );
    expect(await untriedDeliveries(database.db(), batch.id)).toHaveLength(2);
  });

  test.each([{ to: "finalizing" }, { to: "cancelling" }] as const)(
    "inserts no event for the move to $to",
    async (move) => {
      const batch = await batchIn("in_progress", await newTenant(database.db()));

      expect(await moveBatch(database.db(), batch.batchNo, move, now)).toBe(true);

      expect(await eventsOf(batch)).toEqual([]);
    },
  );

  test("inserts the event without endpoints, and sends no old event to a later endpoint", async () => {
    const tenant = await newTenant(database.db());
    const batch = await newBatch(database.db(), { tenant });
    await moveBatch(database.db(), batch.batchNo, FAIL, now);
    const endpoint = await newEndpoint(tenant);

    expect(await eventsOf(batch)).toHaveLength(1);
    expect(await listDeliveries(database.db(), endpoint, 9)).toEqual([]);
  });

  test("inserts nothing if the move is rolled back", async () => {
    const tenant = await newTenant(database.db());
    const endpoint = await newEndpoint(tenant);
    const batch = await newBatch(database.db(), { tenant });

    const rolledBack = withTx(database.db(), async (tx) => {
      await moveBatch(tx, batch.batchNo, FAIL, now);
      throw new Error("and then the disk was full");
    });

    await expect(rolledBack).rejects.toThrow("disk");
    expect(await eventsOf(batch)).toEqual([]);
    expect(await listDeliveries(database.db(), endpoint, 9)).toEqual([]);
  });

  test("inserts one event when ten assemblers finish a batch at once", async () => {
    const tenant = await newTenant(database.db());
    const endpoint = await newEndpoint(tenant);
    const batch = await batchIn("finalizing", tenant);
    const finish = { batchNo: batch.batchNo, to: "completed", output: null, error: null } as const;

    const finished = await Promise.all(Array.from({ length: 10 }, () => finishBatch(database.db(), finish, now)));

    expect(finished.filter(Boolean)).toHaveLength(1);
    expect(await listDeliveries(database.db(), endpoint, 99)).toHaveLength(1);
  });

  test("lets a batch finish while an endpoint is being deleted", async () => {
    const tenant = await newTenant(database.db());
    const endpoint = await newEndpoint(tenant);
    const batch = await newBatch(database.db(), { tenant });

    let moving: Promise<boolean> | undefined;
    await withTx(database.db(), async (tx) => {
      await deleteWebhookEndpoint(tx, endpoint);
      moving = moveBatch(database.db(), batch.batchNo, FAIL, now);
      await until(isMoveWaiting, { message: "the move waits for this transaction's lock" });
    });

    expect(await moving).toBe(true);
    expect(await untriedDeliveries(database.db(), batch.id)).toEqual([]);
  });
});

describe("a claim", () => {
  test("gives a delivery to one of ten workers, with everything that the worker needs to send it", async () => {
    const tenant = await newTenant(database.db());
    await newEndpoint(tenant);
    const delivery = await newDelivery(tenant);
    const workers = await Promise.all(Array.from({ length: 10 }, newWorker));

    const claims = await Promise.all(workers.map((worker) => claimDelivery(database.db(), delivery, worker, now)));

    expect(claims.filter((one) => one !== null)).toEqual([
      {
        number: delivery,
        id: expect.stringMatching(/^wh_/),
        url: "https://example.com/hook",
        secret: "whsec_AA==",
        eventId: expect.stringMatching(/^evt_/),
        type: "batch.failed",
        batchId: expect.stringMatching(/^batch_/),
        requestId: null,
        createdAt: now,
        attempts: 1,
      },
    ]);
  });

  test("is refused before the time of the next attempt", async () => {
    const tenant = await newTenant(database.db());
    await newEndpoint(tenant);
    const worker = await newWorker();
    const first = await claim(await newDelivery(tenant), worker);
    await recordAttempt(database.db(), first, refusal(later(5)), now);

    expect(await claimDelivery(database.db(), first.number, worker, later(4.9))).toBeNull();
    expect(await dueDeliveries(database.db(), later(4.9), 1_000)).not.toContain(first.number);
    expect(await dueDeliveries(database.db(), later(5), 1_000)).toContain(first.number);
    expect(await claim(first.number, worker, later(5))).toEqual({ ...first, attempts: 2 });
  });

  test.each(["delivered", "failed"])("is refused if the delivery is %s", async (state) => {
    const tenant = await newTenant(database.db());
    const endpoint = await newEndpoint(tenant);
    const worker = await newWorker();
    const first = await claim(await newDelivery(tenant), worker);
    const acknowledged = { isAcknowledged: true, status: 200, error: null, nextAttemptAt: null };
    await recordAttempt(database.db(), first, state === "delivered" ? acknowledged : refusal(null), later(3));

    expect(await claimDelivery(database.db(), first.number, worker, later(999_999))).toBeNull();
    expect(await dueDeliveries(database.db(), later(999_999), 1_000)).not.toContain(first.number);
    expect(await listDeliveries(database.db(), endpoint, 9)).toMatchObject([
      state === "delivered"
        ? { state, attempts: 1, lastStatus: 200, lastError: null, nextAttemptAt: null, deliveredAt: later(3) }
        : { state, attempts: 1, lastStatus: 500, lastError: "answered 500", nextAttemptAt: null, deliveredAt: null },
    ]);
  });

  test("is possible again when the worker is gone or the lease has ended", async () => {
    const tenant = await newTenant(database.db());
    await newEndpoint(tenant);
    const delivery = await newDelivery(tenant);
    const [dead, slow, next] = [await newWorker(), await newWorker(), await newWorker()];

    await claim(delivery, dead);
    expect(await claimDelivery(database.db(), delivery, next, now)).toBeNull();
    await removeWorkers(database.db(), [dead]);
    expect(await dueDeliveries(database.db(), now, 1_000)).toContain(delivery);
    const ofSlow = await claim(delivery, slow);
    await database
      .db()
      .query("update webhook_deliveries set leased_until = clock_timestamp() where number = $1", [delivery]);
    const ofNext = await claim(delivery, next);

    // The result of the slow worker is ignored, unless the receiver acknowledged the delivery.
    await recordAttempt(database.db(), ofSlow, refusal(null), now);
    expect(await claimDelivery(database.db(), delivery, slow, now)).toBeNull();
    await recordAttempt(database.db(), ofSlow, { ...refusal(null), isAcknowledged: true }, now);
    await recordAttempt(database.db(), ofNext, refusal(later(5)), now);
    expect(await dueDeliveries(database.db(), later(5), 1_000)).not.toContain(delivery);
  });

  test("is refused if the endpoint has 16 attempts in progress, but not for other endpoints", async () => {
    const tenant = await newTenant(database.db());
    const other = await newTenant(database.db());
    await newEndpoint(tenant);
    await newEndpoint(other);
    const worker = await newWorker();
    const deliveries: number[] = [];
    for (let i = 0; i < 17; i += 1) deliveries.push(await newDelivery(tenant));
    const last = deliveries.pop() ?? 0;
    const claims: ClaimedDelivery[] = [];
    for (const delivery of deliveries) claims.push(await claim(delivery, worker));

    expect(await claimDelivery(database.db(), last, worker, now)).toBeNull();
    await claim(await newDelivery(other), worker);
    await recordAttempt(database.db(), claims[0]!, refusal(later(5)), now);
    expect(await claimDelivery(database.db(), last, worker, now)).not.toBeNull();
  });
});

test("deletes the deliveries of an endpoint together with it", async () => {
  const tenant = await newTenant(database.db());
  const endpoint = await newEndpoint(tenant);
  const waiting = await newDelivery(tenant);
  const underWay = await claim(await newDelivery(tenant), await newWorker());

  expect(await deleteWebhookEndpoint(database.db(), endpoint)).toBe(true);
  expect(await deleteWebhookEndpoint(database.db(), endpoint)).toBe(false);

  await recordAttempt(database.db(), underWay, refusal(later(5)), now);
  expect(await claimDelivery(database.db(), waiting, await newWorker(), later(99))).toBeNull();
  expect(await listDeliveries(database.db(), endpoint, 9)).toEqual([]);
});

test("limits the endpoints of a tenant, even in concurrent calls", async () => {
  const tenant = await newTenant(database.db());
  const insert = (name: string, most: number, of = tenant) =>
    insertWebhookEndpoint(
      database.db(),
      { id: `we_${name}`, tenant: of, url: "https://example.com/", events: [], secret: "", createdAt: now },
      most,
    );

  const insertions = await Promise.all(["a", "b", "c", "d", "e"].map((name) => insert(name, 3)));

  expect(insertions.sort()).toEqual(["inserted", "inserted", "inserted", "too_many", "too_many"]);
  expect(await insert("f", 3, "nobody")).toBe("no_tenant");
});

test("deletes old events with their deliveries", async () => {
  const tenant = await newTenant(database.db());
  const endpoint = await newEndpoint(tenant);
  for (const seconds of [-200, -100, 0]) {
    const batch = await newBatch(database.db(), { tenant, createdAt: later(-300) });
    await moveBatch(database.db(), batch.batchNo, FAIL, later(seconds));
  }

  expect(await forgetWebhookEvents(database.db(), later(-50), 1)).toBe(1);
  expect((await listDeliveries(database.db(), endpoint, 9)).map((one) => one.createdAt)).toEqual([now, later(-100)]);
  expect(await forgetWebhookEvents(database.db(), later(-50), 9)).toBe(1);
  expect((await listDeliveries(database.db(), endpoint, 9)).map((one) => one.createdAt)).toEqual([now]);
});
