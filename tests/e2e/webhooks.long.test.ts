/**
 * Webhooks end to end: one event for each batch that ends, which the official SDK verifies, despite crashes and lost
 * jobs.
 */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import OpenAI from "openai";
import { type Batch, type BatchClient, chatLine, createBatchClient } from "./batch-client.ts";
import { endWindow } from "./ledger.ts";
import { useStack } from "./use-stack.ts";
import { createWebhookAdmin, type Delivery, type ReceivedWebhook, useWebhookReceiver } from "./webhook-receiver.ts";

const LINE = chatLine("a", "Why?");

/**
 * Verifies and parses a webhook with the Node SDK. Rejects if the signature is wrong. The tests in contract/ use both
 * SDKs.
 */
const unwrap = ({ body, headers }: ReceivedWebhook, secret: string): Promise<unknown> =>
  new OpenAI({ apiKey: "none" }).webhooks.unwrap(body, headers, secret);

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    env: { NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: "true", NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: "1" },
  });
  const receiver = useWebhookReceiver();
  let endpoint: { readonly id: string; readonly secret: string };
  let client: BatchClient;

  beforeEach(async () => {
    client = createBatchClient(stack());
    endpoint = await createWebhookAdmin(stack()).create(receiver.url());
    receiver.answer(200);
  });
  afterEach(async () => {
    await createWebhookAdmin(stack()).remove(endpoint.id);
  });

  /** Resolves with the batch's only delivery when `isSo` is true for it. */
  const delivery = (batchId: string, message: string, isSo: (one: Delivery) => boolean): Promise<Delivery> =>
    until(
      async () => {
        const [one, ...others] = await createWebhookAdmin(stack()).deliveries(endpoint.id, batchId);
        if (others.length > 0) throw new Error("one batch has several deliveries to one endpoint");
        return one !== undefined && isSo(one) && one;
      },
      { message, timeoutMs: 60_000 },
    );
  const isDelivered = (one: Delivery): boolean => one.state === "delivered";

  /** Makes the batch's pending deliveries due now, so that the test does not wait for the next attempt. */
  const makeDue = async (batchId: string): Promise<void> => {
    await stack().sql(
      `update webhook_deliveries d set next_attempt_at = now() from webhook_events v
       where v.number = d.event and v.batch_id = $1 and d.state = 'pending'`,
      [batchId],
    );
  };

  /** Starts a batch whose line is in flight for a minute. */
  const hangingBatch = async (): Promise<string> => {
    // A line that another batch has given up may still be in flight, and would be mistaken for the line of this batch.
    await until(async () => (await simulator().stats()).inFlight === 0, { message: "no line is in flight" });
    await simulator().configure({ faults: [{ hangMs: 60_000, times: 1 }] });
    const { id } = await client.create(await client.upload(LINE));
    await until(async () => (await simulator().stats()).inFlight > 0, { message: "the line is in flight" });
    return id;
  };

  const ends: Readonly<Record<string, () => Promise<string>>> = {
    completed: async () => (await client.run(LINE)).id,
    failed: async () => (await client.run(`${LINE}\n{`)).id,
    cancelled: async () => {
      const id = await hangingBatch();
      await client.request(`/v1/batches/${id}/cancel`, { method: "POST" });
      return id;
    },
    expired: async () => {
      const id = await hangingBatch();
      await endWindow(stack(), id);
      return id;
    },
  };

  test.each(Object.keys(ends))("a batch that is %s sends one event, which the SDK accepts", async (status) => {
    const id = (await ends[status]?.()) ?? "";
    const batch = (await client.finished(id)) as Batch & Record<string, unknown>;
    const { id: webhookId } = await delivery(id, "the receiver has acknowledged it", isDelivered);

    const [webhook, ...others] = receiver.of(id);
    expect(others).toEqual([]);
    expect(webhook?.headers["webhook-id"]).toBe(webhookId);
    expect(webhookId).toMatch(/^wh_[0-9a-f]{32}$/);
    expect(batch.status).toBe(status);
    expect(await unwrap(webhook!, endpoint.secret)).toEqual({
      id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
      object: "event",
      created_at: batch[`${status}_at`],
      type: `batch.${status}`,
      data: { id },
    });
  });

  test("an unacknowledged event is sent again with the same id, a new timestamp and a valid signature", async () => {
    receiver.answer(500, 500, 200);
    const { id } = await client.run(LINE);
    // The first wait is real and takes four to five seconds. The test ends the second wait of half a minute early.
    await delivery(
      id,
      "two attempts have failed",
      ({ attempts, last_status: status }) => attempts === 2 && status === 500,
    );
    await until(() => receiver.of(id).length === 2, { message: "two requests have arrived" });
    await makeDue(id);
    expect(await delivery(id, "the third was acknowledged", isDelivered)).toMatchObject({
      attempts: 3,
      last_status: 200,
    });

    const webhooks = receiver.of(id);
    const times = webhooks.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(webhooks).toHaveLength(3);
    expect(new Set(webhooks.map(({ headers, body }) => `${headers["webhook-id"] ?? ""} ${body}`)).size).toBe(1);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(3);
    for (const [index, webhook] of webhooks.entries()) {
      expect(Math.abs(webhook.at - times[index]!)).toBeLessThan(5);
      await unwrap(webhook, endpoint.secret);
    }
  });

  test("an event survives kill -9 of the workers during delivery", async () => {
    receiver.answer(0, 200);
    const { id } = await client.run(LINE);
    await until(() => receiver.of(id).length === 1, { message: "the first request has arrived" });

    await stack().kill9("worker");
    await stack().restart();

    expect(await delivery(id, "it was sent again", isDelivered)).toMatchObject({ attempts: 2 });
    const [first, second, ...others] = receiver.of(id);
    expect(others).toEqual([]);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  });

  test("an event survives the loss of the queue", async () => {
    receiver.answer(503, 200);
    const { id } = await client.run(LINE);
    await delivery(id, "the first attempt has failed", ({ last_status: status }) => status === 503);

    await stack().wipeQueue();
    await makeDue(id);

    expect(await delivery(id, "it was sent again", isDelivered)).toMatchObject({ attempts: 2 });
    expect(receiver.of(id)).toHaveLength(2);
  });
});
