/** Ids in the shapes that OpenAI's have (contract §2, §3.1, §4.3). Clients must treat them as opaque. */
export type RandomBytes = (count: number) => Uint8Array;

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** `file-` and 22 base58 characters: 128 bits. */
export function newFileId(random: RandomBytes): string {
  let value = BigInt(`0x${Buffer.from(random(16)).toString("hex")}`);
  let text = "";
  while (text.length < 22) {
    text = (BASE58[Number(value % 58n)] ?? "1") + text;
    value /= 58n;
  }
  return `file-${text}`;
}

/** `upload_` and 32 hex digits, the first 8 the creation time in seconds. */
export function newUploadId(random: RandomBytes, nowSeconds: number): string {
  return `upload_${timed(random, nowSeconds)}`;
}

/** `part_` and 32 hex digits, time-prefixed: the id of a part of an upload. */
export function newPartId(random: RandomBytes, nowSeconds: number): string {
  return `part_${timed(random, nowSeconds)}`;
}

/** `batch_` and 32 hex digits, the first 8 the creation time in seconds. */
export function newBatchId(random: RandomBytes, nowSeconds: number): string {
  return `batch_${timed(random, nowSeconds)}`;
}

/** `batch_req_` and 32 hex digits, time-prefixed: the id of an output or error line. */
export function newBatchRequestId(random: RandomBytes, nowSeconds: number): string {
  return `batch_req_${timed(random, nowSeconds)}`;
}

/** `req_` and 32 hex digits: the `x-request-id` of a reply. */
export function newRequestId(random: RandomBytes): string {
  return `req_${Buffer.from(random(16)).toString("hex")}`;
}

/** `we_` and 32 hex digits: an endpoint of webhooks. */
export function newWebhookEndpointId(random: RandomBytes): string {
  return `we_${Buffer.from(random(16)).toString("hex")}`;
}

/** `evt_` and 32 hex digits: an event (contract §1.4). Those of real batches are made by Postgres, in the same shape. */
export function newEventId(random: RandomBytes): string {
  return `evt_${Buffer.from(random(16)).toString("hex")}`;
}

/** `wh_` and 32 hex digits: a delivery, as `webhook-id` names it (contract §1.4). */
export function newWebhookId(random: RandomBytes): string {
  return `wh_${Buffer.from(random(16)).toString("hex")}`;
}

function timed(random: RandomBytes, nowSeconds: number): string {
  const { buffer, byteOffset, byteLength } = random(12);
  return nowSeconds.toString(16).padStart(8, "0") + Buffer.from(buffer, byteOffset, byteLength).toString("hex");
}
