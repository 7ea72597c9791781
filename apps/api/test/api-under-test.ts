/** Runs the real app over HTTP for a test file, with its own database, a folder store and a recording queue. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll } from "@jest/globals";
import { type BatchMove, type Db, insertKey, moveBatch } from "@nightshift/db";
import { type BatchStatus, NO_TIERS } from "@nightshift/domain";
import { createLogger, createMetrics, listen, type Listening, type Registry } from "@nightshift/service";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { newUpstream, startBatch, viewOf } from "@nightshift/testing/batches";
import { createWebhookSender } from "@nightshift/webhooks";
import { type ApiDeps, createApp } from "../src/app.ts";
import { hashKey } from "../src/middleware/authenticate.ts";
import { answerConnectionFault } from "../src/middleware/connection-faults.ts";

/** The running app, its dependencies and the jobs that it enqueued. */
export interface ApiUnderTest {
  url(): string;
  db(): Db;
  objects(): ObjectStore;
  metrics(): Registry;
  /** The numbers of the batches for which an advance was enqueued. */
  readonly advanced: number[];
  /** If set, the queue is unavailable. */
  queueFailure: Error | null;
  /** Moves the clock of the app, which starts at the current time and otherwise stands still. */
  advanceClock(seconds: number): void;
  readonly now: () => Date;
  /** Sends a request with the key of `tenant` (the default is `one`). With null, it sends no key. */
  fetch(path: string, init?: RequestInit & { tenant?: "one" | "two" | null }): Promise<Response>;
  /** The `Authorization` header that `fetch` sends. */
  authorization(tenant: "one" | "two"): string;
}

/** Starts an API before the tests of a file and stops it after them. `change` replaces some of its dependencies. */
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
      queues: recordingQueues(api),
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

function recordingQueues(api: ApiUnderTest): ApiDeps["queues"] {
  return {
    enqueue: async (_name, payload) => {
      if (api.queueFailure !== null) throw api.queueFailure;
      if ("batch_no" in payload) api.advanced.push(payload.batch_no);
    },
    enqueueSlices: () => Promise.reject(new Error("these tests do not enqueue slices")),
    findFailedLine: () => Promise.resolve(null),
    removeFailedLine: () => Promise.resolve(),
    boards: () => [],
  };
}

/** Parses the JSON of a reply. */
export async function jsonOf(reply: Response): Promise<Record<string, unknown>> {
  return (await reply.json()) as Record<string, unknown>;
}

/** Returns the `error` of a reply. Throws if its status or its envelope (contract §5.1) is wrong. */
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

/** Lists the keys of all objects. */
export async function objectKeys(api: ApiUnderTest): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of api.objects().list("")) keys.push(key);
  return keys;
}

/** The moves of a worker from `validating` to each status. */
const WAYS: Readonly<Record<Exclude<BatchStatus, "validating">, readonly BatchMove["to"][]>> = {
  failed: ["failed"],
  in_progress: ["in_progress"],
  finalizing: ["in_progress", "finalizing"],
  completed: ["in_progress", "finalizing", "completed"],
  expired: ["in_progress", "finalizing", "expired"],
  cancelling: ["cancelling"],
  cancelled: ["cancelling", "cancelled"],
};

/** Moves a batch from `validating` to `status`, through the states that a worker would move it. */
export async function moveTo(api: ApiUnderTest, batchNo: number, status: keyof typeof WAYS): Promise<void> {
  const db = api.db();
  for (const to of WAYS[status]) {
    const isMoved =
      to === "in_progress"
        ? await startBatch(db, await viewOf(db, batchNo), 4, await newUpstream(db))
        : await moveBatch(db, batchNo, { to, errors: [], outputFileId: null, errorFileId: null }, api.now());
    if (!isMoved) throw new Error(`the batch could not be moved to ${to}`);
  }
}
