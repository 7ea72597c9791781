/**
 * Calls every operation with an object of another tenant. The reply must match, byte for byte, the one for a missing
 * object.
 */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { numberOfBatch } from "@nightshift/db";
import type { Operation } from "../src/operation.ts";
import { operations } from "../src/openapi/operations.ts";
import { type ApiUnderTest, jsonOf, moveTo, upload, useApi } from "./api-under-test.ts";

const api = useApi();

type Tenant = "one" | "two";

/** Functions that create an object of the tenant and return its id, by the name of the id in paths. */
const MAKERS: Readonly<Record<string, (tenant: Tenant) => Promise<string>>> = {
  file_id: async (tenant) => (await upload(api, { tenant })).id,
  batch_id: (tenant) => createBatch(api, tenant),
  upload_id: createUpload,
};

const PART = "12345";
/** The id of the only part of each upload. */
const parts = new Map<string, string>();

/** Creates an upload with all its bytes, which is not completed. */
async function createUpload(tenant: Tenant): Promise<string> {
  const body = JSON.stringify({ filename: "a.txt", bytes: PART.length, mime_type: "text/plain", purpose: "user_data" });
  const { id } = await jsonOf(await api.fetch("/v1/uploads", { method: "POST", body, tenant }));
  const part = await api.fetch(`/v1/uploads/${String(id)}/parts`, { method: "POST", body: partForm(), tenant });
  parts.set(String(id), String((await jsonOf(part))["id"]));
  return String(id);
}

function partForm(): FormData {
  const form = new FormData();
  form.set("data", new Blob([PART]), "part");
  return form;
}

/** Bodies for operations that refuse `{}`, by operation id. */
const BODIES: Readonly<Record<string, (id: string) => string | FormData>> = {
  addUploadPart: partForm,
  completeUpload: (id) =>
    JSON.stringify({ part_ids: [...parts].flatMap(([upload, part]) => (upload === id ? [part] : [])) }),
};

/** Moves the object to a state that the operation accepts, by operation id. */
const PREPARE: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  retryBatch: async (id) => moveTo(api, (await numberOfBatch(api.db(), id)) ?? 0, "in_progress"),
};

async function createBatch(on: ApiUnderTest, tenant: Tenant): Promise<string> {
  const { id } = await upload(on, { tenant });
  const body = JSON.stringify({ input_file_id: id, endpoint: "/v1/embeddings", completion_window: "24h" });
  const batch = await jsonOf(await on.fetch("/v1/batches", { method: "POST", body, tenant }));
  return String(batch["id"]);
}

const namesOf = (operation: Operation): string[] => Object.keys(operation.params?.properties ?? {});
const ofTenants = operations.filter(({ key }) => key === "tenant");
const named = ofTenants.filter((operation) => namesOf(operation).length > 0);
const lists = ofTenants.filter(
  (operation) => operation.query?.properties["after"] !== undefined && !named.includes(operation),
);

/** An unused id of the same form and length. */
const unused = (id: string): string => id.slice(0, -8) + (id.endsWith("11111111") ? "22222222" : "11111111");

/** Creates new objects of the tenant for the path of the operation, and returns their ids. */
async function make(operation: Operation, tenant: Tenant): Promise<string[]> {
  const ids = await Promise.all(
    namesOf(operation).map((name) => {
      const maker = MAKERS[name];
      if (maker === undefined) throw new Error(`MAKERS has no entry for {${name}} of ${operation.path}. Add one.`);
      return maker(tenant);
    }),
  );
  await PREPARE[operation.id]?.(ids[0] ?? "");
  return ids;
}

function pathWith(operation: Operation, ids: readonly string[]): string {
  return namesOf(operation).reduce((path, name, at) => path.replace(`{${name}}`, ids[at] ?? ""), operation.path);
}

/**
 * Returns the parts of a reply that a client can see, except the values that always differ: request id, times, and
 * requested ids.
 */
async function seen(reply: Response, ids: readonly string[]): Promise<object> {
  const headers = [...reply.headers].filter(([name]) => !/^(date|x-request-id|openai-processing-ms)$/.test(name));
  const text = ids.reduce((rest, id) => rest.replaceAll(id, "ID"), await reply.text());
  return { status: reply.status, headers, text };
}

const send = (operation: Operation, ids: readonly string[], tenant: Tenant): Promise<Response> =>
  api.fetch(pathWith(operation, ids), {
    method: operation.method.toUpperCase(),
    tenant,
    ...(operation.body === undefined ? {} : { body: BODIES[operation.id]?.(ids[0] ?? "") ?? "{}" }),
  });

const directions = [
  ["one", "two"],
  ["two", "one"],
] as const;

describe.each(named)("$method $path", (operation) => {
  test.each(directions)(
    "works for the owner, tenant %s, and returns the same 404 as for a missing object to tenant %s",
    async (owner, other) => {
      const ids = await make(operation, owner);
      const missing = ids.map(unused);

      const theirs = await seen(await send(operation, ids, other), ids);
      const nothing = await seen(await send(operation, missing, other), missing);
      const own = await send(operation, ids, owner);
      // An event stream would not end.
      await own.body?.cancel();

      expect(theirs).toEqual(nothing);
      expect(theirs).toMatchObject({ status: 404 });
      expect(Object.keys(operation.replies)).toContain(String(own.status));
    },
  );

  test("changes no object of another tenant", async () => {
    const ids = await make(operation, "one");

    await send(operation, ids, "two");
    const own = await send(operation, ids, "one");
    await own.body?.cancel();

    expect(own.status).toBe(200);
  });
});

describe.each(lists)("$method $path", (operation) => {
  const idOf: Record<string, string> = { "/v1/files": "file_id", "/v1/batches": "batch_id" };
  const objects: Partial<Record<Tenant, string>> = {};

  beforeAll(async () => {
    const maker = MAKERS[idOf[operation.path] ?? ""];
    if (maker === undefined)
      throw new Error(`add an entry for ${operation.path} to idOf, and one for its objects to MAKERS`);
    for (const tenant of ["one", "two"] as const) objects[tenant] = await maker(tenant);
  });

  test.each(directions)("lists the objects of tenant %s, and none of tenant %s", async (owner, other) => {
    const shown = await (await api.fetch(operation.path, { tenant: owner })).text();

    expect(shown).toContain(objects[owner]);
    expect(shown).not.toContain(objects[other]);
  });

  test.each(directions)(
    "accepts a cursor from its owner, tenant %s, and treats it as unknown for tenant %s",
    async (owner, other) => {
      const id = objects[owner] ?? "";
      const after = async (cursor: string, tenant: Tenant) =>
        seen(await api.fetch(`${operation.path}?after=${cursor}`, { tenant }), [cursor]);

      const theirs = await after(id, other);

      expect(theirs).toEqual(await after(unused(id), other));
      expect(theirs).toMatchObject({ status: 400 });
      expect(await after(id, owner)).toMatchObject({ status: 200 });
    },
  );
});

test.each(directions)(
  "a batch with an input file of tenant %s gets the same reply for tenant %s as one with a missing file",
  async (owner, other) => {
    const { id } = await upload(api, { tenant: owner, purpose: "user_data" });
    const create = async (input: string) => {
      const body = JSON.stringify({ input_file_id: input, endpoint: "/v1/embeddings", completion_window: "24h" });
      const reply = await api.fetch("/v1/batches", { method: "POST", body, tenant: other });
      const text = await reply.clone().text();
      const { id: batch } = JSON.parse(text) as { id: string };
      return seen(reply, [input, batch]);
    };

    const theirs = await create(id);

    expect(theirs).toEqual(await create(unused(id)));
    expect(theirs).toMatchObject({ status: 200 });
  },
);
