/** The batches that every client runs before the first row, all beside each other: rows look at what came of them. */
import { type Stack, until } from "@nightshift/testing";
import { chatLine } from "../batch-client.ts";
import { endWindow } from "../ledger.ts";
import type { Client, Fields, Json } from "./clients/client.ts";
import { bytesOf, idOf, jsonOf } from "./expectations.ts";
import { type Delivered, receiveEvent, type WebhookTarget } from "./events.ts";

/** What the upstream says to lines that contain the word REFUSE. */
export const UPSTREAM_REFUSAL = {
  error: { message: "No", type: "invalid_request_error", param: "messages", code: "too_long" },
};

const ALWAYS = 1_000_000;

/** The upstream's behaviour, by a word in the line. */
export const UPSTREAM_FAULTS = [
  { match: "REFUSE", status: 400, times: ALWAYS, body: JSON.stringify(UPSTREAM_REFUSAL) },
  { match: "HANG", hangMs: 600_000, times: ALWAYS },
  { match: "TARRY", hangMs: 1_000, times: ALWAYS },
];

/** An input that is good. */
export const INPUT = `${chatLine("a", "Why?")}\n${chatLine("b", "How?")}\n`;
const HANGING = `${chatLine("quick", "Why?")}\n${chatLine("slow", "HANG")}\n`;

/** A second line for each of the faults that contract §3.4 knows the text of, after a good first one. */
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

/** Each resolves with what the client saw on the way. */
export interface Plays {
  /** Two requests that succeed and one that is refused, with metadata. */
  readonly mixed: Promise<{ input: Json; created: Json; ended: Json; output: Buffer; errors: Buffer }>;
  /** Every request is refused; results are to live for two hours. */
  readonly refused: Promise<{ ended: Json; errors: Json }>;
  /** An input with bad lines. */
  readonly faulty: Promise<Json>;
  /** An input that was deleted before its batch was created. */
  readonly inputless: Promise<{ fileId: string; created: Json; ended: Json }>;
  /** An input that is deleted once it has been read. */
  readonly orphaned: Promise<Json>;
  /** One request is done and one hangs, when it is cancelled, twice; and once more in the end. */
  readonly cancelled: Promise<{
    running: Json;
    cancelling: Json;
    again: Json;
    ended: Json;
    afterwards: Json;
    errors: Buffer;
  }>;
  /** The same, and its window ends. */
  readonly expired: Promise<{ ended: Json; output: Buffer; errors: Buffer }>;
  /** The event of one batch of each end, by its status. */
  readonly events: Readonly<Record<"completed" | "failed" | "cancelled" | "expired", Promise<Delivered>>>;
}

/** Starts them all. A play that fails fails the rows that look at it. */
export function startPlays(stack: Stack, client: Client, target: WebhookTarget): Plays {
  const batches = {
    mixed: playMixed(client),
    refused: playRefused(client),
    faulty: runBatch(client, FAULTY),
    inputless: playInputless(client),
    orphaned: playOrphaned(client),
    cancelled: playCancelled(client),
    expired: playExpired(stack, client),
  };
  const eventOf = async (ending: Promise<Json>): Promise<Delivered> => receiveEvent(client, target, await ending);
  const events = {
    completed: eventOf(batches.mixed.then(({ ended }) => ended)),
    failed: eventOf(batches.faulty),
    cancelled: eventOf(batches.cancelled.then(({ ended }) => ended)),
    expired: eventOf(batches.expired.then(({ ended }) => ended)),
  };
  const plays = { ...batches, events };
  for (const play of playing(plays)) play.catch(() => undefined);
  return plays;
}

/** All that is under way. */
export const playing = ({ events, ...batches }: Plays): Promise<unknown>[] => [
  ...(Object.values(batches) as Promise<unknown>[]),
  ...Object.values(events),
];

/** Uploads an input for batches; returns the File object. */
export const uploadInput = (client: Client, text = INPUT): Promise<Json> =>
  jsonOf(client.files.create({ bytes: Buffer.from(text), name: "input.jsonl" }, { purpose: "batch" }));

/** The fields of a batch of /v1/chat/completions; those of `change` instead. */
export const batchOf = (inputFileId: string, change: Fields = {}): Fields => ({
  input_file_id: inputFileId,
  endpoint: "/v1/chat/completions",
  completion_window: "24h",
  ...change,
});

/** Polls until it is so of the batch, and returns it then. */
const batchWhere = (client: Client, id: string, isSo: (batch: Json) => boolean): Promise<Json> =>
  until(
    async () => {
      const batch = await jsonOf(client.batches.retrieve(id));
      return isSo(batch) && batch;
    },
    { message: `${id} is so: ${isSo.toString()}`, timeoutMs: 60_000, everyMs: 100 },
  );

const isFinal = ({ status }: Json): boolean => ["completed", "failed", "expired", "cancelled"].includes(String(status));

/** Polls until the batch has ended. */
export const endOf = (client: Client, id: string): Promise<Json> => batchWhere(client, id, isFinal);

async function runBatch(client: Client, text: string, change: Fields = {}): Promise<Json> {
  const { id } = await uploadInput(client, text);
  return endOf(client, await idOf(client.batches.create(batchOf(String(id), change))));
}

const contentOf = (client: Client, id: unknown): Promise<Buffer> => bytesOf(client.files.content(String(id)));

async function playMixed(client: Client): ReturnType<() => Plays["mixed"]> {
  const text = [chatLine("good-1", "?"), chatLine("wrong", "REFUSE"), chatLine("good-2", "?")].join("\n");
  const input = await uploadInput(client, text);
  const created = await jsonOf(client.batches.create(batchOf(String(input["id"]), { metadata: { job: "nightly" } })));
  const ended = await endOf(client, String(created["id"]));
  const output = await contentOf(client, ended["output_file_id"]);
  return { input, created, ended, output, errors: await contentOf(client, ended["error_file_id"]) };
}

async function playRefused(client: Client): ReturnType<() => Plays["refused"]> {
  const text = [chatLine("a", "REFUSE 1"), chatLine("b", "REFUSE 2")].join("\n");
  const ended = await runBatch(client, text, { output_expires_after: { anchor: "created_at", seconds: 7_200 } });
  return { ended, errors: await jsonOf(client.files.retrieve(String(ended["error_file_id"]))) };
}

async function playInputless(client: Client): ReturnType<() => Plays["inputless"]> {
  const fileId = String((await uploadInput(client))["id"]);
  await jsonOf(client.files.delete(fileId));
  const created = await jsonOf(client.batches.create(batchOf(fileId)));
  return { fileId, created, ended: await endOf(client, String(created["id"])) };
}

async function playOrphaned(client: Client): Promise<Json> {
  const { id: fileId } = await uploadInput(client, `${chatLine("a", "TARRY")}\n${chatLine("b", "Why?")}\n`);
  const id = await idOf(client.batches.create(batchOf(String(fileId))));
  await batchWhere(client, id, ({ status }) => status !== "validating");
  await jsonOf(client.files.delete(String(fileId)));
  return endOf(client, id);
}

/** Creates a batch whose first request is done and whose second hangs by then. */
async function createHanging(client: Client): Promise<{ id: string; running: Json }> {
  const { id: fileId } = await uploadInput(client, HANGING);
  const id = await idOf(client.batches.create(batchOf(String(fileId))));
  const isUnderWay = ({ request_counts: counts }: Json): boolean => (counts as { completed: number }).completed === 1;
  return { id, running: await batchWhere(client, id, isUnderWay) };
}

async function playCancelled(client: Client): ReturnType<() => Plays["cancelled"]> {
  const { id, running } = await createHanging(client);
  const cancelling = await jsonOf(client.batches.cancel(id));
  const again = await jsonOf(client.batches.cancel(id));
  const ended = await endOf(client, id);
  const afterwards = await jsonOf(client.batches.cancel(id));
  return { running, cancelling, again, ended, afterwards, errors: await contentOf(client, ended["error_file_id"]) };
}

async function playExpired(stack: Stack, client: Client): ReturnType<() => Plays["expired"]> {
  const { id } = await createHanging(client);
  await endWindow(stack, id);
  const ended = await endOf(client, id);
  const output = await contentOf(client, ended["output_file_id"]);
  return { ended, output, errors: await contentOf(client, ended["error_file_id"]) };
}
