/** A client of the API that uses plain fetch, for tests of details that an SDK would hide. */
import { type Stack, until } from "@nightshift/testing";

/** The fields of a Batch object that tests check. */
export interface Batch {
  readonly id: string;
  readonly status: string;
  readonly errors: { readonly data: readonly BatchError[] } | null;
  readonly input_file_id: string;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly in_progress_at: number | null;
  readonly cancelling_at: number | null;
  readonly usage: Readonly<Record<string, unknown>>;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
}

/** One entry of a failed batch's errors. */
export interface BatchError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly line: number | null;
}

/** One line of an output or error file. */
export interface ResultLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: unknown } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const FINAL = ["completed", "failed", "expired", "cancelled"];

/**
 * The calls of the guide. Each call goes to the next API of the stack, so that no API can rely on having seen the
 * previous call.
 */
export interface BatchClient {
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  readonly upload: (content: string | Buffer, filename?: string) => Promise<string>;
  readonly create: (inputFileId: string, endpoint?: string) => Promise<Batch>;
  readonly retrieve: (id: string) => Promise<Batch>;
  /** Polls until the batch is final, by default for up to 60 s. */
  readonly finished: (id: string, timeoutMs?: number) => Promise<Batch>;
  /** Uploads the lines, creates the batch and waits for its end. */
  readonly run: (content: string | Buffer) => Promise<Batch>;
  readonly content: (fileId: string) => Promise<Buffer>;
  /** Returns the lines of an output or error file, or an empty list if there is no file. */
  readonly lines: (fileId: string | null) => Promise<readonly ResultLine[]>;
}

/** Creates a client with the stack's first key. */
export function createBatchClient(stack: Stack): BatchClient {
  let calls = 0;
  const request = (path: string, init: RequestInit = {}): Promise<Response> => {
    const base = stack.urls[calls++ % stack.urls.length] ?? stack.url;
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${stack.key}`);
    return fetch(`${base}${path}`, { ...init, headers });
  };
  const succeed = async (path: string, init?: RequestInit): Promise<Response> => {
    const reply = await request(path, init);
    if (!reply.ok) throw new Error(`${path} answered ${String(reply.status)}: ${await reply.text()}`);
    return reply;
  };
  const retrieve = async (id: string): Promise<Batch> => (await (await succeed(`/v1/batches/${id}`)).json()) as Batch;
  const content = async (fileId: string): Promise<Buffer> =>
    Buffer.from(await (await succeed(`/v1/files/${fileId}/content`)).arrayBuffer());
  const upload = async (bytes: string | Buffer, filename?: string): Promise<string> => {
    const reply = await succeed("/v1/files", { method: "POST", body: uploadForm(bytes, filename) });
    return ((await reply.json()) as { id: string }).id;
  };
  const create = async (inputFileId: string, endpoint = "/v1/chat/completions"): Promise<Batch> => {
    const body = JSON.stringify({ input_file_id: inputFileId, endpoint, completion_window: "24h" });
    const headers = { "content-type": "application/json" };
    return (await (await succeed("/v1/batches", { method: "POST", headers, body })).json()) as Batch;
  };
  const finished = async (id: string, timeoutMs = 60_000): Promise<Batch> => {
    const isFinal = async (): Promise<Batch | null> => {
      const batch = await retrieve(id);
      return FINAL.includes(batch.status) ? batch : null;
    };
    return until(isFinal, { message: `${id} is final`, timeoutMs, everyMs: 100 });
  };
  return {
    request,
    upload,
    create,
    retrieve,
    finished,
    content,
    run: async (bytes) => finished((await create(await upload(bytes))).id),
    lines: async (fileId) => {
      if (fileId === null) return [];
      return (await content(fileId))
        .toString("utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ResultLine);
    },
  };
}

/** Returns the form of an upload for a batch. */
export function uploadForm(bytes: string | Buffer, filename = "requests.jsonl"): FormData {
  const form = new FormData();
  form.set("file", new Blob([bytes]), filename);
  form.set("purpose", "batch");
  return form;
}

/** Returns a chat line as the guide writes it. */
export function chatLine(customId: string, content: string, model = "gpt-4"): string {
  const body = { model, messages: [{ role: "user", content }] };
  return JSON.stringify({ custom_id: customId, method: "POST", url: "/v1/chat/completions", body });
}
