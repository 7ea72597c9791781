/** A minimal client of the API. It is small so that its own cost does not distort the measurement. */
import { openAsBlob } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { InputFile } from "./input-file.ts";

export interface BatchObject {
  readonly id: string;
  readonly status: string;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
}

export interface Client {
  /** Uploads the file and returns its id. */
  upload(input: InputFile): Promise<string>;
  create(fileId: string, endpoint: string): Promise<BatchObject>;
  retrieve(id: string): Promise<BatchObject>;
  /** Cancels the batch and waits until it is cancelled. */
  cancelled(id: string): Promise<void>;
  /**
   * Polls every `pollMs` until the batch is completed, and calls `onPoll` with each reply and its duration. Rejects if
   * the batch ends in another state or a line failed.
   */
  completed(id: string, pollMs: number, onPoll?: (batch: BatchObject, tookMs: number) => void): Promise<BatchObject>;
  /** Starts a download and resolves with the response, before its body is read. */
  download(fileId: string): Promise<Response>;
}

const CANCEL_POLL_MS = 50;

export function openClient(url: string, key: string): Client {
  const headers = { authorization: `Bearer ${key}` };
  const call = async (path: string, init: RequestInit = {}, contentType?: string): Promise<Response> => {
    const type = contentType === undefined ? {} : { "content-type": contentType };
    const reply = await fetch(`${url}/v1/${path}`, { ...init, headers: { ...headers, ...type } });
    if (!reply.ok) throw new Error(`${path} answered ${String(reply.status)}: ${await reply.text()}`);
    return reply;
  };
  const retrieve = async (id: string): Promise<BatchObject> =>
    (await (await call(`batches/${id}`)).json()) as BatchObject;
  return {
    async upload({ file }) {
      const form = new FormData();
      form.append("purpose", "batch");
      form.append("file", await openAsBlob(file), "requests.jsonl");
      const reply = (await (await call("files", { method: "POST", body: form })).json()) as { id: string };
      return reply.id;
    },
    async create(fileId, endpoint) {
      const body = JSON.stringify({ input_file_id: fileId, endpoint, completion_window: "24h" });
      const reply = await call("batches", { method: "POST", body }, "application/json");
      return (await reply.json()) as BatchObject;
    },
    retrieve,
    async cancelled(id) {
      await (await call(`batches/${id}/cancel`, { method: "POST" })).arrayBuffer();
      while ((await retrieve(id)).status !== "cancelled") await sleep(CANCEL_POLL_MS);
    },
    async completed(id, pollMs, onPoll) {
      for (;;) {
        const asked = performance.now();
        const batch = await retrieve(id);
        onPoll?.(batch, performance.now() - asked);
        const { total, completed } = batch.request_counts;
        if (batch.status === "completed" && total === completed) return batch;
        if (["failed", "expired", "cancelled", "completed"].includes(batch.status)) {
          throw new Error(`${id} ended as ${batch.status} with ${String(completed)} of ${String(total)} lines`);
        }
        await sleep(pollMs);
      }
    },
    download: (fileId) => call(`files/${fileId}/content`),
  };
}
