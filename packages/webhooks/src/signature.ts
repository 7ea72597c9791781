/**
 * Signs events according to Standard Webhooks (standardwebhooks.com), so that `webhooks.unwrap` of both official SDKs
 * can verify them: contract §1.4. An endpoint's secret is `whsec_` and the base64 of its 32-byte key.
 */
import type { RandomBytes } from "@nightshift/domain";
import { Webhook } from "standardwebhooks";

const KEY_BYTES = 32;

/** Creates a secret. It cannot be stored as a hash, because it signs every delivery. */
export function newWebhookSecret(random: RandomBytes): string {
  return `whsec_${Buffer.from(random(KEY_BYTES)).toString("base64")}`;
}

/**
 * Returns the three headers of one attempt. `now` is the time of the attempt, not of the event: verifiers refuse
 * timestamps that are more than five minutes off, and a delivery may be retried for days. Throws if `secret` is not
 * valid base64.
 */
export function signedHeaders(secret: string, id: string, now: Date, body: string): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, now, body),
  };
}
