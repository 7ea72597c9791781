/** Receives webhook events and verifies them at once, because a signature is valid for five minutes (contract §1.4). */
import { until } from "@nightshift/testing";
import type { ReceivedWebhook, WebhookReceiver } from "../webhook-receiver.ts";
import type { Client, Json } from "./clients/client.ts";

/** The receiver of the events of a client's tenant, and the secret of its endpoint. */
export interface WebhookTarget {
  readonly receiver: WebhookReceiver;
  readonly secret: string;
}

/** A webhook, the event that the client read from it, and whether the client accepted forgeries. */
export interface Delivered {
  readonly batch: Json;
  readonly webhook: ReceivedWebhook;
  readonly event: Json;
  /** By the part that was forged: true if the client accepted the forgery. */
  readonly taken: Readonly<Record<string, boolean>>;
}

const FORGERIES: Readonly<Record<string, (webhook: ReceivedWebhook) => ReceivedWebhook>> = {
  body: (webhook) => ({ ...webhook, body: webhook.body.replace("batch.", "batch_") }),
  id: (webhook) => ({ ...webhook, headers: { ...webhook.headers, "webhook-id": "wh_other" } }),
  time: (webhook) => {
    const later = String(Number(webhook.headers["webhook-timestamp"]) + 1);
    return { ...webhook, headers: { ...webhook.headers, "webhook-timestamp": later } };
  },
};

/** Waits for the event of a batch that has ended, and lets the client verify it. */
export async function receiveEvent(
  client: Client,
  { receiver, secret }: WebhookTarget,
  batch: Json,
): Promise<Delivered> {
  const webhook = await until(() => receiver.of(String(batch["id"]))[0], {
    message: `the event of ${String(batch["id"])} has arrived`,
    timeoutMs: 60_000,
  });
  const event = await client.unwrap(webhook.body, webhook.headers, secret);
  const taken: Record<string, boolean> = {};
  for (const [what, forge] of Object.entries(FORGERIES)) {
    const forged = forge(webhook);
    taken[what] = await client.unwrap(forged.body, forged.headers, secret).then(
      () => true,
      () => false,
    );
  }
  return { batch, webhook, event, taken };
}
