/** The batches that each client starts before the first row, all at once. The rows check their results. */
import { type Stack, until } from "@nightshift/testing";
import { chatLine } from "../batch-client.ts";
import { endWindow } from "../ledger.ts";
import type { Client, Fields, Json } from "./clients/client.ts";
import { bytesOf, idOf, jsonOf } from "./expectations.ts";
import { type Delivered, receiveEvent, type WebhookTarget } from "./events.ts";

/** The upstream's reply to lines that contain UPSTREAM_400. */
export const UPSTREAM_REFUSAL = {
  error: { message: "No", type: "invalid_request_error", param: "messages", code: "too_long" },
};

const ALWAYS = 1_000_000;

/** The upstream's behavior, chosen by a word in the line. */
export const UPSTREAM_FAULTS = [
  { match: "UPSTREAM_400", status: 400, times: ALWAYS, body: JSON.stringify(UPSTREAM_REFUSAL) },
  { match: "UPSTREAM_HANGS", hangMs: 600_000, times: ALWAYS },
  { match: "UPSTREAM_SLOW", hangMs: 1_000, times: ALWAYS },
];

/** A valid input. */
export const INPUT = `${chatLine("a", "Why?")}\n${chatLine("b", "How?")}\n`;
const HANGING = `${chatLine("quick", "Why?")}\n${chatLine("slow", "UPSTREAM_HANGS")}\n`;

/** A valid first line, then one line for each fault whose message contract §3.4 defines. */
const FAULTY = [
  chatLine("good", "Why?"),
  `{"custom_id": "half",`,
  JSON.stringify({ method: "POST", url: "/v1/chat/completions", body: { model: "gpt-4", messages: [] } }),
  chatLine("elsewhere", "Why?").replace("/v1/chat/completions", "/v1/embeddings"),
  chatLine("stream", "Why?").replace(`"model"`, `"stream":true,"model"`),
  chatLine("good", "How?"),
  chatLine("other", "Why?", "gpt-5"),
  "null",
].join("\n");

/** Each promise resolves with the objects that the client received while the batch ran. */
export interface FixtureBatches {
  /** Two requests succeed and one is refused. The batch has metadata. */
  readonly mixed: Promise<{ input: Json; created: Json; ended: Json; output: Buffer; errors: Buffer }>;
  /** Every request is refused. The result files expire after two hours. */
  readonly refused: Promise<{ ended: Json; errors: Json }>;
  /** The input has invalid lines. */
  readonly faulty: Promise<Json>;
  /** The input was deleted before the batch was created. */
  readonly inputless: Promise<{ fileId: string; created: Json; ended: Json }>;
  /** The input is deleted after validation has read it. */
  readonly orphaned: Promise<Json>;
  /** The batch is cancelled twice while one request is done and one hangs, and once more after the batch has ended. */
  readonly cancelled: Promise<{
    running: Json;
    cancelling: Json;
    again: Json;
    ended: Json;
    afterwards: Json;
    errors: Buffer;
  }>;
  /** The completion window ends while one request is done and one hangs. */
  readonly expired: Promise<{ ended: Json; output: Buffer; errors: Buffer }>;
  /** The webhook event of one batch of each final status. */
  readonly events: Readonly<Record<"completed" | "failed" | "cancelled" | "expired", Promise<Delivered>>>;
}

/** Starts all batches. A batch that fails unexpectedly fails the rows that await it. */
export function startFixtureBatches(stack: Stack, client: Client, target: WebhookTarget): FixtureBatches {
  const batches = {
    mixed: runMixedBatch(client),
    refused: runRefusedBatch(client),
    faulty: runBatch(client, FAULTY),
    inputless: runInputlessBatch(client),
    orphaned: runOrphanedBatch(client),
    cancelled: runCancelledBatch(client),
    expired: runExpiredBatch(stack, client),
  };
  const eventOf = async (ending: Promise<Json>): Promise<Delivered> => receiveEvent(client, target, await ending);
  const events = {
    completed: eventOf(batches.mixed.then(({ ended }) => ended)),
    failed: eventOf(batches.faulty),
    cancelled: eventOf(batches.cancelled.then(({ ended }) => ended)),
    expired: eventOf(batches.expired.then(({ ended }) => ended)),
  };
  const all = { ...batches, events };
  // A rejection must not count as unhandled before its row awaits it.
  for (const promise of promisesOf(all)) promise.catch(() => undefined);
  return all;
}

/** Returns the promises of all batches and events. */
export const promisesOf = ({ events, ...batches }: FixtureBatches): Promise<unknown>[] => [
  ...(Object.values(batches) as Promise<unknown>[]),
  ...Object.values(events),
];

/** Uploads an input for batches, and returns the File object. */
export const uploadInput = (client: Client, text = INPUT): Promise<Json> =>
  jsonOf(client.files.create({ bytes: Buffer.from(text), name: "input.jsonl" }, { purpose: "batch" }));

/** The fields of a batch of /v1/chat/completions, with `change` applied. */
export const batchOf = (inputFileId: string, change: Fields = {}): Fields => ({
  input_file_id: inputFileId,
  endpoint: "/v1/chat/completions",
  completion_window: "24h",
  ...change,
});

/** Polls until the batch satisfies `isSo`, and returns it. */
const batchWhere = (client: Client, id: string, isSo: (batch: Json) => boolean): Promise<Json> =>
  until(
    async () => {
      const batch = await jsonOf(client.batches.retrieve(id));
      return isSo(batch) && batch;
    },
    { message: `${id} satisfies ${isSo.toString()}`, timeoutMs: 60_000, everyMs: 100 },
  );

const isFinal = ({ status }: Json): boolean => ["completed", "failed", "expired", "cancelled"].includes(String(status));

/** Polls until the batch has ended. */
export const endOf = (client: Client, id: string): Promise<Json> => batchWhere(client, id, isFinal);

async function runBatch(client: Client, text: string, change: Fields = {}): Promise<Json> {
  const { id } = await uploadInput(client, text);
  return endOf(client, await idOf(client.batches.create(batchOf(String(id), change))));
}

const contentOf = (client: Client, id: unknown): Promise<Buffer> => bytesOf(client.files.content(String(id)));

async function runMixedBatch(client: Client): ReturnType<() => FixtureBatches["mixed"]> {
  const text = [chatLine("good-1", "?"), chatLine("wrong", "UPSTREAM_400"), chatLine("good-2", "?")].join("\n");
  const input = await uploadInput(client, text);
  const created = await jsonOf(client.batches.create(batchOf(String(input["id"]), { metadata: { job: "nightly" } })));
  const ended = await endOf(client, String(created["id"]));
  const output = await contentOf(client, ended["output_file_id"]);
  return { input, created, ended, output, errors: await contentOf(client, ended["error_file_id"]) };
}

async function runRefusedBatch(client: Client): ReturnType<() => FixtureBatches["refused"]> {
  const text = [chatLine("a", "UPSTREAM_400 1"), chatLine("b", "UPSTREAM_400 2")].join("\n");
  const ended = await runBatch(client, text, { output_expires_after: { anchor: "created_at", seconds: 7_200 } });
  return { ended, errors: await jsonOf(client.files.retrieve(String(ended["error_file_id"]))) };
}

async function runInputlessBatch(client: Client): ReturnType<() => FixtureBatches["inputless"]> {
  const fileId = String((await uploadInput(client))["id"]);
  await jsonOf(client.files.delete(fileId));
  const created = await jsonOf(client.batches.create(batchOf(fileId)));
  return { fileId, created, ended: await endOf(client, String(created["id"])) };
}

async function runOrphanedBatch(client: Client): Promise<Json> {
  const { id: fileId } = await uploadInput(client, `${chatLine("a", "UPSTREAM_SLOW")}\n${chatLine("b", "Why?")}\n`);
  const id = await idOf(client.batches.create(batchOf(String(fileId))));
  await batchWhere(client, id, ({ status }) => status !== "validating");
  await jsonOf(client.files.delete(String(fileId)));
  return endOf(client, id);
}

/** Creates a batch and resolves when its first request is done. The second request hangs. */
async function createHanging(client: Client): Promise<{ id: string; running: Json }> {
  const { id: fileId } = await uploadInput(client, HANGING);
  const id = await idOf(client.batches.create(batchOf(String(fileId))));
  const isUnderWay = ({ request_counts: counts }: Json): boolean => (counts as { completed: number }).completed === 1;
  return { id, running: await batchWhere(client, id, isUnderWay) };
}

async function runCancelledBatch(client: Client): ReturnType<() => FixtureBatches["cancelled"]> {
  const { id, running } = await createHanging(client);
  const cancelling = await jsonOf(client.batches.cancel(id));
  const again = await jsonOf(client.batches.cancel(id));
  const ended = await endOf(client, id);
  const afterwards = await jsonOf(client.batches.cancel(id));
  return { running, cancelling, again, ended, afterwards, errors: await contentOf(client, ended["error_file_id"]) };
}

async function runExpiredBatch(stack: Stack, client: Client): ReturnType<() => FixtureBatches["expired"]> {
  const { id } = await createHanging(client);
  await endWindow(stack, id);
  const ended = await endOf(client, id);
  const output = await contentOf(client, ended["output_file_id"]);
  return { ended, output, errors: await contentOf(client, ended["error_file_id"]) };
}
