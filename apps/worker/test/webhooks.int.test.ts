/** Tests a worker's webhook deliveries, with an injected clock: the schedule of attempts, and interrupted attempts. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { insertBatch, insertWebhookEndpoint, listDeliveries, moveBatch, registerWorker } from "@nightshift/db";
import { WEBHOOK_EVENT_TYPES } from "@nightshift/domain";
import type { JobPayload } from "@nightshift/queue";
import { createLogger } from "@nightshift/service";
import { useDatabase } from "@nightshift/testing";
import { createWebhookSender } from "@nightshift/webhooks";
import { batchFields } from "@nightshift/testing/batches";
import { createDeliveryQueue } from "../src/webhooks/delivery-queue.ts";
import { type DeliverDeps, deliverWebhook } from "../src/webhooks/deliver-webhook.ts";

const START = new Date("2026-08-19T12:00:00Z").getTime();
const HOUR_MS = 3_600_000;
const SECRET = `whsec_${Buffer.alloc(32).toString("base64")}`;

const database = useDatabase();
const logged: string[] = [];
const received: { id: string; timestamp: number; body: string }[] = [];
let status = 200;
let onRequest: () => void = () => undefined;
let nowMs = START;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const { headers } = request;
      received.push({ id: String(headers["webhook-id"]), timestamp: Number(headers["webhook-timestamp"]), body });
      onRequest();
      if (status !== 0) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  received.length = 0;
  status = 200;
  onRequest = () => undefined;
  nowMs = START;
});

/** Creates a worker with a queue that records its jobs, and a tenant's endpoint with one due event. */
async function createFixture() {
  const db = database.db();
  await db.query("delete from webhook_endpoints");
  const names = { tenant: randomUUID(), endpoint: `we_${randomUUID()}`, worker: `w-${randomUUID()}` };
  await db.query("insert into tenants (id) values ($1)", [names.tenant]);
  await registerWorker(db, { id: names.worker, host: "here", pid: 1 });
  const createdAt = new Date(START);
  await insertWebhookEndpoint(
    db,
    { id: names.endpoint, tenant: names.tenant, url, events: [...WEBHOOK_EVENT_TYPES], secret: SECRET, createdAt },
    1,
  );
  const batch = await insertBatch(db, { ...batchFields({ tenant: names.tenant, createdAt }), requestId: "req_1" });
  await moveBatch(db, batch.batchNo, { to: "failed", errors: [] }, createdAt);

  const jobs: JobPayload<"webhook.deliver">[] = [];
  const clock = (): Date => new Date(nowMs);
  const enqueue = async (_name: unknown, payload: unknown): Promise<void> => {
    jobs.push(payload as JobPayload<"webhook.deliver">);
  };
  const sent: string[] = [];
  const deps: DeliverDeps = {
    db,
    metrics: { webhookSent: (outcome) => sent.push(outcome) },
    webhooks: createWebhookSender({ allowPrivate: true }),
    workerId: () => names.worker,
    logger: createLogger({ name: "worker", level: "info", destination: { write: (line) => void logged.push(line) } }),
    clock,
    random: () => 1,
  };
  const queue = createDeliveryQueue({ db, queues: { enqueue }, clock });
  return {
    ...names,
    batchId: batch.id,
    queue,
    jobs,
    /** The outcomes that the metrics counted. */
    sent,
    /** Runs the due jobs, as the reconciler and the queue would. Returns how many there were. */
    runDue: async (signal = new AbortController().signal): Promise<number> => {
      jobs.length = 0;
      await queue.enqueueDue();
      for (const job of jobs) await deliverWebhook(deps, job.delivery, signal);
      return jobs.length;
    },
    shown: async () => (await listDeliveries(db, names.endpoint, 9))[0],
  };
}

test("enqueues the deliveries of a batch at its end, except deliveries that were tried before", async () => {
  const { queue, jobs, batchId, runDue } = await createFixture();

  await queue.enqueueOf(batchId);
  expect(jobs).toHaveLength(1);
  status = 500;
  await runDue();
  jobs.length = 0;
  await queue.enqueueOf(batchId);

  expect(jobs).toEqual([]);
  expect(JSON.parse(logged.at(-1) ?? "")).toMatchObject({ batch: batchId, requestId: "req_1", error: "answered 500" });
});

test("sends an acknowledged delivery once, even if its job is repeated", async () => {
  const { runDue, sent, shown, batchId } = await createFixture();

  expect(await runDue()).toBe(1);
  expect(await runDue()).toBe(0);

  expect(received).toHaveLength(1);
  expect(sent).toEqual(["acknowledged"]);
  expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({ type: "batch.failed", data: { id: batchId } });
  expect(await shown()).toMatchObject({
    state: "delivered",
    attempts: 1,
    lastStatus: 200,
    deliveredAt: new Date(START),
  });
});

test("tries an unacknowledged delivery for 72 hours, and then keeps it as failed", async () => {
  const { runDue, sent, shown } = await createFixture();
  status = 500;

  const moments: number[] = [];
  for (let next: Date | null = new Date(START); next !== null; next = (await shown())?.nextAttemptAt ?? null) {
    nowMs = next.getTime() - 1;
    if (next.getTime() > START) expect(await runDue()).toBe(0);
    nowMs = next.getTime();
    expect(await runDue()).toBe(1);
    moments.push((nowMs - START) / 1_000);
  }

  expect(moments.slice(0, 5)).toEqual([0, 5, 35, 155, 755]);
  expect(moments.at(-1)).toBe((72 * HOUR_MS) / 1_000);
  expect(received.map(({ timestamp }) => timestamp - START / 1_000)).toEqual(moments);
  expect(new Set(received.map(({ id, body }) => id + body)).size).toBe(1);
  expect(await shown()).toMatchObject({ state: "failed", attempts: moments.length, lastStatus: 500 });
  expect(sent).toEqual([...moments.slice(1).map(() => "retried"), "given_up"]);
  nowMs += 999 * HOUR_MS;
  expect(await runDue()).toBe(0);
});

test("gives up immediately after a 410", async () => {
  const { runDue, sent, shown } = await createFixture();
  status = 410;

  await runDue();

  expect(sent).toEqual(["given_up"]);
  expect(await shown()).toMatchObject({ state: "failed", attempts: 1, lastStatus: 410, lastError: "answered 410" });
});

test("leaves the delivery to other workers if this one stops during the attempt", async () => {
  const { runDue, shown } = await createFixture();
  const stopping = new AbortController();
  status = 0;
  onRequest = () => {
    stopping.abort(new Error("shutting down"));
  };

  await expect(runDue(stopping.signal)).rejects.toThrow("shutting down");
  expect(await runDue()).toBe(0);
  // The worker is removed by now, and the next worker has another id.
  await database.db().query("update webhook_deliveries set owner = 'gone' where owner is not null");
  status = 200;
  onRequest = () => undefined;

  expect(await runDue()).toBe(1);
  expect(await shown()).toMatchObject({ state: "delivered", attempts: 2 });
  expect(received[1]?.id).toBe(received[0]?.id);
});

test("stops the attempts if the endpoint is deleted during one", async () => {
  const { runDue, endpoint } = await createFixture();
  status = 0;
  let deleted: Promise<unknown> | undefined;
  onRequest = () => {
    deleted = database.db().query("delete from webhook_endpoints where id = $1", [endpoint]);
    status = 500;
  };

  await runDue();
  await deleted;

  nowMs += HOUR_MS;
  expect(await runDue()).toBe(0);
  expect(received).toHaveLength(1);
});
