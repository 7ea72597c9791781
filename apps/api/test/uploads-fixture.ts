/** Fixtures for uploads in parts: a store whose writes can be delayed, and the calls of a client. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { openS3Store } from "@nightshift/storage/s3";
import { makeTemporaryFolder, testServices } from "@nightshift/testing";
import { type ApiUnderTest, errorOf, jsonOf } from "./api-under-test.ts";

/** A line of a batch's input, with a line feed. */
export const line = '{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"größe"}}\n';

/** Hooks into the API's work on the store. Tests replace them. */
export interface Moments {
  /** Runs before parts are joined. */
  beforeJoin: () => Promise<unknown>;
  /** Runs when a part's bytes are durable, before its row is written. */
  afterPut: () => Promise<unknown>;
}

/** Hooks that do nothing. */
export function quietMoments(): Moments {
  return { beforeJoin: () => Promise.resolve(), afterPut: () => Promise.resolve() };
}

/** The store, with the hooks in its calls. */
export function withMoments(store: ObjectStore, moments: Moments): ObjectStore {
  return {
    ...store,
    join: async (...call) => {
      await moments.beforeJoin();
      return store.join(...call);
    },
    putStream: async (...call) => {
      const info = await store.putStream(...call);
      await moments.afterPut();
      return info;
    },
  };
}

/** Each kind of store by name, with a folder or bucket of its own. S3 needs a server. */
export function availableStores(): [string, () => Promise<ObjectStore>][] {
  const { s3 } = testServices();
  const folder = async (): Promise<ObjectStore> => {
    const root = await makeTemporaryFolder("uploads");
    return { ...openFolderStore({ root }), close: () => rm(root, { recursive: true, force: true }) };
  };
  const bucket = (): Promise<ObjectStore> => {
    if (s3 === null) throw new Error("no S3 server is configured");
    return Promise.resolve(openS3Store({ ...s3, bucket: `uploads-${randomUUID()}` }));
  };
  return s3 === null
    ? [["folder", folder]]
    : [
        ["folder", folder],
        ["S3", bucket],
      ];
}

/** An object of the API. Every object has an id. */
export type WithId = Record<string, unknown> & { id: string };

/**
 * The calls of a client. `createUpload` and `addPart` check and parse the reply. All other calls return the raw reply.
 */
export function uploadCalls(api: ApiUnderTest) {
  const post = (path: string, body?: unknown, tenant: "one" | "two" = "one"): Promise<Response> =>
    api.fetch(path, {
      method: "POST",
      tenant,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const create = (fields: Record<string, unknown> = {}): Promise<Response> =>
    post("/v1/uploads", { filename: "input.jsonl", purpose: "batch", mime_type: "application/jsonl", ...fields });
  const sendPart = (upload: string, data: string | Uint8Array<ArrayBuffer>): Promise<Response> => {
    const form = new FormData();
    form.set("data", new Blob([data]));
    return api.fetch(`/v1/uploads/${upload}/parts`, { method: "POST", body: form });
  };
  return {
    post,
    create,
    sendPart,
    complete: (upload: string, partIds: readonly unknown[], md5?: string): Promise<Response> =>
      post(`/v1/uploads/${upload}/complete`, { part_ids: partIds, ...(md5 === undefined ? {} : { md5 }) }),
    cancel: (upload: string): Promise<Response> => post(`/v1/uploads/${upload}/cancel`),
    createUpload: async (bytes: number, fields: Record<string, unknown> = {}): Promise<WithId> =>
      goodJson(await create({ bytes, ...fields })),
    addPart: async (upload: string, data: string | Uint8Array<ArrayBuffer>): Promise<string> =>
      (await goodJson(await sendPart(upload, data))).id,
  };
}

/** Returns the JSON of a reply that must be a 200. */
export async function goodJson(reply: Response): Promise<WithId> {
  const body = await jsonOf(reply);
  if (reply.status !== 200) throw new Error(`answered ${String(reply.status)}: ${JSON.stringify(body)}`);
  return body as WithId;
}

/** Returns `param` and `message` of a 400. */
export async function faultOf(reply: Response): Promise<{ param: unknown; message: string }> {
  const { param, message } = await errorOf(reply, 400);
  return { param, message: String(message) };
}
