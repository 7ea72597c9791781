/** Creates ids in the same formats as OpenAI's (contract §2, §3.1, §4.3). Clients must treat them as opaque. */
export type RandomBytes = (count: number) => Uint8Array;

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Returns `file-` and 22 base58 characters: 128 random bits. */
export function newFileId(random: RandomBytes): string {
  let value = BigInt(`0x${Buffer.from(random(16)).toString("hex")}`);
  let text = "";
  while (text.length < 22) {
    text = (BASE58[Number(value % 58n)] ?? "1") + text;
    value /= 58n;
  }
  return `file-${text}`;
}

/** Returns `upload_` and 32 hex digits. The first 8 are the creation time in seconds. */
export function newUploadId(random: RandomBytes, nowSeconds: number): string {
  return `upload_${timed(random, nowSeconds)}`;
}

/** Returns the id of a part of an upload: `part_` and 32 hex digits that begin with the creation time. */
export function newPartId(random: RandomBytes, nowSeconds: number): string {
  return `part_${timed(random, nowSeconds)}`;
}

/** Returns `batch_` and 32 hex digits. The first 8 are the creation time in seconds. */
export function newBatchId(random: RandomBytes, nowSeconds: number): string {
  return `batch_${timed(random, nowSeconds)}`;
}

/** Returns the id of an output or error line: `batch_req_` and 32 hex digits that begin with the creation time. */
export function newBatchRequestId(random: RandomBytes, nowSeconds: number): string {
  return `batch_req_${timed(random, nowSeconds)}`;
}

/** Returns an `x-request-id`: `req_` and 32 hex digits. */
export function newRequestId(random: RandomBytes): string {
  return `req_${Buffer.from(random(16)).toString("hex")}`;
}

/** Returns the id of a webhook endpoint: `we_` and 32 hex digits. */
export function newWebhookEndpointId(random: RandomBytes): string {
  return `we_${Buffer.from(random(16)).toString("hex")}`;
}

/**
 * Returns the id of an event (contract §1.4): `evt_` and 32 hex digits. Postgres creates the event ids of real batches.
 */
export function newEventId(random: RandomBytes): string {
  return `evt_${Buffer.from(random(16)).toString("hex")}`;
}

/** Returns the id of a delivery, its `webhook-id` (contract §1.4): `wh_` and 32 hex digits. */
export function newWebhookId(random: RandomBytes): string {
  return `wh_${Buffer.from(random(16)).toString("hex")}`;
}

function timed(random: RandomBytes, nowSeconds: number): string {
  const { buffer, byteOffset, byteLength } = random(12);
  return nowSeconds.toString(16).padStart(8, "0") + Buffer.from(buffer, byteOffset, byteLength).toString("hex");
}
