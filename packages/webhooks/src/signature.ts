/**
 * Signatures by Standard Webhooks (standardwebhooks.com), which both official SDKs' `webhooks.unwrap` verify: contract §1.4.
 * An endpoint's secret is `whsec_` and the base64 of its 32-byte key.
 */
import type { RandomBytes } from "@nightshift/domain";
import { Webhook } from "standardwebhooks";

const KEY_BYTES = 32;

/** A fresh secret. It cannot be kept as a hash: each delivery is signed with it. */
export function newWebhookSecret(random: RandomBytes): string {
  return `whsec_${Buffer.from(random(KEY_BYTES)).toString("base64")}`;
}

/**
 * The three headers of one attempt. `now` is that of the attempt and not of the event: verifiers refuse what is more than
 * five minutes off, and a delivery may be repeated for days. Throws where `secret` is no base64.
 */
export function signedHeaders(secret: string, id: string, now: Date, body: string): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, now, body),
  };
}
