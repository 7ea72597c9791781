/** An API for a test file: the real app over HTTP, on a database of its own, a folder store, and a queue that takes notes. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll } from "@jest/globals";
import { type Db, insertKey } from "@nightshift/db";
import { NO_TIERS } from "@nightshift/domain";
import { createLogger, createMetrics, listen, type Listening, type Registry } from "@nightshift/service";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { createWebhookSender } from "@nightshift/webhooks";
import { type ApiDeps, createApp } from "../src/app.ts";
import { hashKey } from "../src/middleware/authenticate.ts";
import { answerConnectionFault } from "../src/middleware/connection-faults.ts";

/** What the app was given, and what it did with it. */
export interface ApiUnderTest {
  url(): string;
  db(): Db;
  objects(): ObjectStore;
  metrics(): Registry;
  /** Numbers of the batches that an advance was enqueued for. */
  readonly advanced: number[];
  /** Set it and the queue is away. */
  queueFailure: Error | null;
  /** Moves the app's clock, which starts at the present and stands still otherwise. */
  advanceClock(seconds: number): void;
  readonly now: () => Date;
  /** Sends a request with the key of `tenant`, that of the first one unless told; null sends none. */
  fetch(path: string, init?: RequestInit & { tenant?: "one" | "two" | null }): Promise<Response>;
  /** The header that `fetch` sends. */
  authorization(tenant: "one" | "two"): string;
}

/** Starts an API before the file's tests and stops it after them; `change` replaces parts of what it is given. */
export function useApi(change: (deps: ApiDeps) => Partial<ApiDeps> = () => ({})): ApiUnderTest {
  const database = useDatabase();
  const keys = { one: `sk-test-${randomBytes(16).toString("hex")}`, two: `sk-test-${randomBytes(16).toString("hex")}` };
  let folder: string;
  let deps: ApiDeps;
  let server: Listening;
  let nowMs = Date.now();

  const api: ApiUnderTest = {
    url: () => server.url,
    db: () => database.db(),
    objects: () => deps.objects,
    metrics: () => deps.metrics,
    advanced: [],
    queueFailure: null,
    advanceClock: (seconds) => {
      nowMs += seconds * 1000;
    },
    now: () => new Date(nowMs),
    authorization: (tenant) => `Bearer ${keys[tenant]}`,
    fetch: (path, { tenant = "one", headers, ...init } = {}) => {
      const all = new Headers(headers);
      if (tenant !== null) all.set("authorization", api.authorization(tenant));
      return fetch(server.url + path, { ...init, headers: all });
    },
  };

  beforeAll(async () => {
    folder = await makeTemporaryFolder("api");
    const objects = openFolderStore({ root: folder });
    await objects.ready();
    const usual: ApiDeps = {
      db: database.db(),
      objects,
      queues: notingQueues(api),
      checks: {},
      logger: createLogger({ name: "api", level: "silent" }),
      metrics: createMetrics(),
      webhooks: createWebhookSender({ allowPrivate: true }),
      allowPrivateWebhooks: false,
      adminKey: null,
      completionWindows: new Map([["24h", 86_400]]),
      batchFileLifeSeconds: 30 * 86_400,
      tiers: NO_TIERS,
      clock: api.now,
      random: randomBytes,
      isDraining: () => false,
    };
    deps = { ...usual, ...change(usual) };
    for (const tenant of ["one", "two"] as const) {
      await insertKey(database.db(), { tenant, hash: hashKey(keys[tenant]), hint: "sk-test" });
    }
    const answerFault = answerConnectionFault(deps);
    server = await listen(createApp(deps), { host: "127.0.0.1", port: 0, answerFault });
  });
  afterAll(async () => {
    await server.close(0);
    await rm(folder, { recursive: true, force: true });
  });
  return api;
}

function notingQueues(api: ApiUnderTest): ApiDeps["queues"] {
  return {
    enqueue: async (_name, payload) => {
      if (api.queueFailure !== null) throw api.queueFailure;
      if ("batch_no" in payload) api.advanced.push(payload.batch_no);
    },
    enqueueSlices: () => Promise.reject(new Error("nothing here sends slices")),
    findFailedLine: () => Promise.resolve(null),
    removeFailedLine: () => Promise.resolve(),
    boards: () => [],
  };
}

/** The JSON of a reply. */
export async function jsonOf(reply: Response): Promise<Record<string, unknown>> {
  return (await reply.json()) as Record<string, unknown>;
}

/** The `error` of a reply that must have that status and be in the envelope of contract §5.1. */
export async function errorOf(reply: Response, status: number): Promise<Record<string, unknown>> {
  const body = await jsonOf(reply);
  if (reply.status !== status || !/^error(,detail)?$/.test(Object.keys(body).join())) {
    throw new Error(
      `expected an error of status ${String(status)}, got ${String(reply.status)} ${JSON.stringify(body)}`,
    );
  }
  const error = body["error"] as Record<string, unknown>;
  if (Object.keys(error).join() !== "message,type,param,code")
    throw new Error(`not the envelope: ${JSON.stringify(body)}`);
  return error;
}

/** Uploads a file and returns its File object. */
export async function upload(
  api: ApiUnderTest,
  options: { text?: string; filename?: string; purpose?: string; tenant?: "one" | "two"; expiresAfter?: number } = {},
): Promise<Record<string, unknown> & { id: string }> {
  const {
    text = '{"custom_id":"1"}\n',
    filename = "input.jsonl",
    purpose = "batch",
    tenant = "one",
    expiresAfter,
  } = options;
  const form = new FormData();
  form.set("purpose", purpose);
  if (expiresAfter !== undefined) {
    form.set("expires_after[anchor]", "created_at");
    form.set("expires_after[seconds]", String(expiresAfter));
  }
  form.set("file", new Blob([text]), filename);
  const reply = await api.fetch("/v1/files", { method: "POST", body: form, tenant });
  const body = await jsonOf(reply);
  if (reply.status !== 200 || typeof body["id"] !== "string") throw new Error(`not uploaded: ${JSON.stringify(body)}`);
  return { ...body, id: body["id"] };
}

/** Keys of all objects there are. */
export async function objectKeys(api: ApiUnderTest): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of api.objects().list("")) keys.push(key);
  return keys;
}
