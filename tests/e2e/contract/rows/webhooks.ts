/** Contract §1.4, row by row, for every client: what is delivered, and that `webhooks.unwrap` takes it. */
import { expect, test } from "@jest/globals";
import { until } from "@nightshift/testing";
import type { Json } from "../clients/client.ts";
import type { Scene } from "../scene.ts";
import type { ReceivedWebhook } from "../../webhook-receiver.ts";

/** Registers the rows. */
export function webhookRows({ client, plays, receiver, secret }: Scene): void {
  const ended = async (status: string): Promise<Json> => {
    const { mixed, faulty, cancelled, expired } = plays();
    const batches: Readonly<Record<string, () => Promise<Json>>> = {
      completed: async () => (await mixed).ended,
      failed: () => faulty,
      cancelled: async () => (await cancelled).ended,
      expired: async () => (await expired).ended,
    };
    return (await batches[status]?.()) ?? {};
  };
  const delivered = (batch: Json): Promise<ReceivedWebhook> =>
    until(() => receiver.of(String(batch["id"]))[0], { message: "the event has come", timeoutMs: 30_000 });

  test.each(["completed", "failed", "expired", "cancelled"])(
    "§1.4: the event of a batch that is %s",
    async (status) => {
      const batch = await ended(status);
      const { body, headers } = await delivered(batch);

      const event = await client().unwrap(body, headers, secret());

      expect(event).toEqual({
        id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
        object: "event",
        created_at: batch[`${status}_at`],
        type: `batch.${status}`,
        data: { id: batch["id"] },
      });
      expect(JSON.parse(body)).toEqual(event);
      expect(headers).toMatchObject({
        "webhook-id": expect.stringMatching(/^wh_[0-9a-f]{32}$/),
        "webhook-timestamp": expect.stringMatching(/^\d{10}$/),
        "webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      });
    },
  );

  test.each<[string, (webhook: ReceivedWebhook) => ReceivedWebhook]>([
    ["another body", (webhook) => ({ ...webhook, body: webhook.body.replace("batch.completed", "batch.failed") })],
    ["another id", (webhook) => ({ ...webhook, headers: { ...webhook.headers, "webhook-id": "wh_other" } })],
    ["another time", (webhook) => ({ ...webhook, headers: { ...webhook.headers, "webhook-timestamp": "1750861210" } })],
  ])("§1.4: with %s the signature does not hold", async (_what, forge) => {
    const { body, headers } = forge(await delivered(await ended("completed")));

    await expect(client().unwrap(body, headers, secret())).rejects.toThrow(/./);
  });
}
