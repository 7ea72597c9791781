/** The contract client that uses the official Node SDK. */
import { AsyncLocalStorage } from "node:async_hooks";
import OpenAI, { APIError, toFile } from "openai";
import { type Answer, type Client, inTurn, type FileToSend, type Json, type Reply, type Target } from "./client.ts";

/** Longer than the SDK waits before a retry, and shorter than it waits for a reply. */
const LONGEST_WAIT_MS = 61_000;

/** The replies of one call, and the waits between them. */
interface Trace {
  readonly replies: Reply[];
  readonly waits: number[];
}

/** The trace of the call that the current code belongs to. */
const traces = new AsyncLocalStorage<Trace>();

type Outcome = Pick<Answer, "json" | "bytes" | "refusal" | "requestId">;

/** Rows often send values that the SDK's types forbid, as callers without types do. */
type Untyped = never;

/** Creates one SDK client for each API. Calls use these clients in turn. */
export function createNodeClient({ urls, key }: Target): Client {
  const next = inTurn(
    // The SDK checks `Response` to know whether this fetch accepts forms.
    urls.map(
      (url) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`, fetch: Object.assign(tracedFetch, { Response }) }),
    ),
  );
  const call = async (work: (openai: OpenAI) => Promise<Outcome>): Promise<Answer> => {
    const trace: Trace = { replies: [], waits: [] };
    const outcome = await traces.run(trace, () => work(next()).catch(refused));
    return { ...outcome, ...trace };
  };
  return {
    ...callsOf(call),
    unwrap: async (body, headers, secret) => (await next().webhooks.unwrap(body, headers, secret)) as unknown as Json,
    nameOfBareBytes: "unknown_file",
    retries: 2,
    withKey: (otherKey) => createNodeClient({ urls, key: otherKey }),
  };
}

function callsOf(
  call: (work: (openai: OpenAI) => Promise<Outcome>) => Promise<Answer>,
): Pick<Client, "files" | "uploads" | "batches"> {
  const json = (work: (openai: OpenAI) => Promise<unknown>): Promise<Answer> =>
    call(async (openai) => ({ ...NOTHING, ...jsonOf(await work(openai)) }));
  return {
    files: {
      create: (file, fields) =>
        json(async (openai) => openai.files.create({ file: await uploadable(file), ...fields } as Untyped)),
      list: (query) => json((openai) => openai.files.list(query)),
      retrieve: (id) => json((openai) => openai.files.retrieve(id)),
      delete: (id) => json((openai) => openai.files.delete(id)),
      content: (id) =>
        call(async (openai) => {
          const reply = await openai.files.content(id);
          const bytes = Buffer.from(await reply.arrayBuffer());
          return { ...NOTHING, bytes, requestId: reply.headers.get("x-request-id") };
        }),
    },
    uploads: {
      create: (fields) => json((openai) => openai.uploads.create(fields as Untyped)),
      addPart: (id, data) =>
        json(async (openai) => openai.uploads.parts.create(id, { data: await toFile(data, "part") })),
      complete: (id, fields) => json((openai) => openai.uploads.complete(id, fields as Untyped)),
      cancel: (id) => json((openai) => openai.uploads.cancel(id)),
    },
    batches: {
      create: (fields) => json((openai) => openai.batches.create(fields as Untyped)),
      list: (query) => json((openai) => openai.batches.list(query)),
      retrieve: (id) => json((openai) => openai.batches.retrieve(id)),
      cancel: (id) => json((openai) => openai.batches.cancel(id)),
    },
  };
}

const NOTHING: Outcome = { json: null, bytes: null, refusal: null, requestId: null };

/** Returns bytes without a name as a `Response`, which does not have a name. */
async function uploadable(file: FileToSend | undefined): Promise<unknown> {
  if (file === undefined) return undefined;
  return file.name === undefined ? new Response(file.bytes) : toFile(file.bytes, file.name);
}

/** Returns an object as its caller sees it. A page is a class of the SDK, so its body is returned instead. */
function jsonOf(result: unknown): Pick<Outcome, "json" | "requestId"> {
  const json = (typeof result === "object" && result !== null && "body" in result ? result.body : result) as Json;
  const { _request_id: requestId } = json as { readonly _request_id?: string };
  return { json, requestId: requestId ?? null };
}

function refused(error: unknown): Outcome {
  if (!(error instanceof APIError) || error.status === undefined) throw error;
  const { status, type, code, param, message, requestID, constructor } = error as APIError<number>;
  const refusal = {
    exception: constructor.name,
    status,
    type: type ?? null,
    code: code ?? null,
    param: param ?? null,
    // The SDK puts the status before the service's message.
    message: message.replace(`${String(status)} `, ""),
  };
  return { ...NOTHING, refusal, requestId: requestID ?? null };
}

async function tracedFetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const reply = await fetch(input, init);
  traces.getStore()?.replies.push({ status: reply.status, headers: Object.fromEntries(reply.headers) });
  return reply;
}

const realSetTimeout = globalThis.setTimeout;

/** Records the seconds that the SDK waits before it retries a call, and skips the wait. */
function setTimeoutUnlessRepeating(callback: () => void, ms = 0): unknown {
  const trace = traces.getStore();
  if (trace === undefined || ms === 0 || ms > LONGEST_WAIT_MS) return realSetTimeout(callback, ms);
  trace.waits.push(ms / 1_000);
  return realSetTimeout(callback, 0);
}

globalThis.setTimeout = setTimeoutUnlessRepeating as typeof globalThis.setTimeout;
