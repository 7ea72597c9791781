/** Two tenants, every operation that names an object, and whose object it is: what is another's is byte for byte what is not there. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Operation } from "../src/operation.ts";
import { operations } from "../src/openapi/operations.ts";
import { type ApiUnderTest, jsonOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();

type Tenant = "one" | "two";

/** Makes an object of the tenant and returns its id, by the name that the id has in paths. */
const MAKERS: Readonly<Record<string, (tenant: Tenant) => Promise<string>>> = {
  file_id: async (tenant) => (await upload(api, { tenant })).id,
  batch_id: (tenant) => createBatch(api, tenant),
  upload_id: createUpload,
};

const PART = "12345";
/** By upload: the id of its one part. */
const parts = new Map<string, string>();

/** An upload that lacks nothing but its completion. */
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

/** Bodies of operations that take no `{}`, by operation id. */
const BODIES: Readonly<Record<string, (id: string) => string | FormData>> = {
  addUploadPart: partForm,
  completeUpload: (id) =>
    JSON.stringify({ part_ids: [...parts].flatMap(([upload, part]) => (upload === id ? [part] : [])) }),
};

/** Brings the object into a state that the operation takes, by operation id. */
const PREPARE: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  retryBatch: (id) =>
    api
      .db()
      .query("update batches set status = 'in_progress', in_progress_at = created_at, total = 1 where id = $1", [id]),
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

/** An id that nothing has, of the same shape and length. */
const unused = (id: string): string => id.slice(0, -8) + (id.endsWith("11111111") ? "22222222" : "11111111");

/** A fresh set of the objects that an operation's path names, as its tenant has them. */
async function make(operation: Operation, tenant: Tenant): Promise<string[]> {
  const ids = await Promise.all(
    namesOf(operation).map((name) => {
      const maker = MAKERS[name];
      if (maker === undefined) throw new Error(`MAKERS lacks {${name}} of ${operation.path}: add how one is made.`);
      return maker(tenant);
    }),
  );
  await PREPARE[operation.id]?.(ids[0] ?? "");
  return ids;
}

function pathWith(operation: Operation, ids: readonly string[]): string {
  return namesOf(operation).reduce((path, name, at) => path.replace(`{${name}}`, ids[at] ?? ""), operation.path);
}

/** All of a reply that a client can see, but for what differs between any two: the request's id, its time, and the ids asked for. */
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
  test.each(directions)("tenant %s finds its own; tenant %s finds what is not there", async (owner, other) => {
    const ids = await make(operation, owner);
    const missing = ids.map(unused);

    const theirs = await seen(await send(operation, ids, other), ids);
    const nothing = await seen(await send(operation, missing, other), missing);
    const own = await send(operation, ids, owner);
    // An event stream would go on.
    await own.body?.cancel();

    expect(theirs).toEqual(nothing);
    expect(theirs).toMatchObject({ status: 404 });
    expect(Object.keys(operation.replies)).toContain(String(own.status));
  });

  test("changes nothing of another's", async () => {
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
    if (maker === undefined) throw new Error(`say in idOf what ${operation.path} lists, and in MAKERS how one is made`);
    for (const tenant of ["one", "two"] as const) objects[tenant] = await maker(tenant);
  });

  test.each(directions)("shows tenant %s its own alone, and nothing to tenant %s", async (owner, other) => {
    const shown = await (await api.fetch(operation.path, { tenant: owner })).text();

    expect(shown).toContain(objects[owner]);
    expect(shown).not.toContain(objects[other]);
  });

  test.each(directions)("pages after what tenant %s has; for tenant %s that is not there", async (owner, other) => {
    const id = objects[owner] ?? "";
    const after = async (cursor: string, tenant: Tenant) =>
      seen(await api.fetch(`${operation.path}?after=${cursor}`, { tenant }), [cursor]);

    const theirs = await after(id, other);

    expect(theirs).toEqual(await after(unused(id), other));
    expect(theirs).toMatchObject({ status: 400 });
    expect(await after(id, owner)).toMatchObject({ status: 200 });
  });
});

test.each(directions)(
  "a batch on the file of tenant %s is, for tenant %s, a batch on no file",
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
