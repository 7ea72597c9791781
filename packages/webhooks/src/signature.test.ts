/** Signatures: the contract's test vector, and the verifier of the official SDK. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import OpenAI from "openai";
import { newWebhookSecret, signedHeaders } from "./signature.ts";

const SECRET = "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=";
const ID = "wh_685c059ae39c8190af8c71ed1022a24d";
const BODY =
  '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}';

test("a real event of OpenAI gets OpenAI's signature", () => {
  // No header has the fraction of the second, so the signature must not have it either.
  expect(signedHeaders(SECRET, ID, new Date(1_750_861_210_900), BODY)).toEqual({
    "webhook-id": ID,
    "webhook-timestamp": "1750861210",
    "webhook-signature": "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
  });
});

describe("the official SDK", () => {
  const { webhooks } = new OpenAI({ apiKey: "none" });
  const secret = newWebhookSecret(randomBytes);
  const body = JSON.stringify({ id: "evt_1", type: "batch.completed", data: { id: "batch_ü" } });

  test("accepts a signature of now", async () => {
    const headers = signedHeaders(secret, ID, new Date(), body);

    expect(await webhooks.unwrap(body, headers, secret)).toEqual(JSON.parse(body));
  });

  test("refuses another body, another secret, and an old timestamp", async () => {
    const headers = signedHeaders(secret, ID, new Date(), body);
    const old = signedHeaders(secret, ID, new Date(Date.now() - 301_000), body);

    await expect(webhooks.unwrap(`${body} `, headers, secret)).rejects.toThrow(/signature/);
    await expect(webhooks.unwrap(body, headers, newWebhookSecret(randomBytes))).rejects.toThrow(/signature/);
    await expect(webhooks.unwrap(body, old, secret)).rejects.toThrow(/too old/);
  });
});

test("creates a secret of whsec_ and the base64 of 32 random bytes", () => {
  const secret = newWebhookSecret((count) => Buffer.alloc(count, 7));

  expect(secret).toBe(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
  expect(newWebhookSecret(randomBytes)).not.toBe(newWebhookSecret(randomBytes));
});
