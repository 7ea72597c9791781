/** GET /v1/batches/{id}/history, and the same for admins: states and recorded events in one list. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";

const ADMIN_KEY = "admin-key-of-the-history-test";
const api = useApi(() => ({ adminKey: ADMIN_KEY }));

interface Entry {
  readonly id: string;
  readonly type: string;
}
interface Page {
  readonly object: string;
  readonly data: readonly Entry[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

const read = async (id: string, query = ""): Promise<Page> =>
  (await jsonOf(await api.fetch(`/v1/batches/${id}/history${query}`))) as unknown as Page;

const asAdmin = (id: string, key = ADMIN_KEY): Promise<Response> =>
  api.fetch(`/admin/v1/batches/${id}/history`, { tenant: null, headers: { authorization: `Bearer ${key}` } });

async function create(): Promise<string> {
  const body = JSON.stringify({ input_file_id: "file-1", endpoint: "/v1/embeddings", completion_window: "24h" });
  return String((await jsonOf(await api.fetch("/v1/batches", { method: "POST", body })))["id"]);
}

/** The time when the batch was created, in seconds. The times of the entries are relative to it. */
let createdAt: number;
let id: string;

/** Creates a batch that ran, expired, and was retried before and after that. */
beforeAll(async () => {
  // The history of another batch has entries in between. They must not affect the ids of this batch.
  const other = await create();
  id = await create();
  createdAt = Math.floor(api.now().getTime() / 1000);
  await api.db().query(
    `update batches set created_at = to_timestamp($2), in_progress_at = to_timestamp($2 + 1), finalizing_at = to_timestamp($2 + 5),
      expired_at = to_timestamp($2 + 6), status = 'expired' where id = $1`,
    [id, createdAt],
  );
  const write = (batch: string, seconds: number, what: string, by: string | null, details: object) =>
    api.db().query(
      `insert into batch_history (batch_no, at, what, by, details)
      select batch_no, to_timestamp($2), $3, $4, $5 from batches where id = $1`,
      [batch, createdAt + seconds, what, by, JSON.stringify(details)],
    );
  await write(id, 2, "retries_asked", "key_1", { count: 2, lines: [1, 7] });
  await write(other, 2, "retries_asked", "key_2", { count: 1, lines: [1] });
  await write(id, 3, "retries_succeeded", null, { count: 1, lines: [1] });
  await write(id, 3, "retries_failed", null, { count: 1, lines: [7] });
  await write(id, 7, "retries_asked", "admin", { count: 101, lines: [7] });
  await write(id, 8, "retries_given_up", null, { count: 100, lines: [8] });
  await write(id, 9, "retries_succeeded", null, { count: 1, lines: [7] });
  await write(id, 9, "files_rebuilt", null, { output: "create", error: "forget" });
});

test("lists every entry with every key, newest first", async () => {
  const page = await read(id);

  const nothing = { status: null, requested_by: null, requests: null, files: null };
  const entry = (number: number | string, seconds: number, type: string, fields: object) => ({
    id: `bhe_${String(number)}`,
    object: "batch.history_entry",
    batch_id: id,
    created_at: createdAt + seconds,
    type,
    message: expect.stringMatching(/^[A-Z\d].*[.]$/),
    ...nothing,
    ...fields,
  });
  const status = (name: string, seconds: number) => entry(name, seconds, "status", { status: name });
  expect(page).toEqual({
    object: "list",
    data: [
      entry(7, 9, "files_rebuilt", { files: { output: "created", error: "removed" } }),
      entry(6, 9, "retry_succeeded", { requests: { count: 1, lines: [7] } }),
      entry(5, 8, "retry_given_up", { requests: { count: 100, lines: [8] } }),
      entry(4, 7, "retry_requested", { requested_by: "admin", requests: { count: 101, lines: [7] } }),
      status("expired", 6),
      status("finalizing", 5),
      entry(3, 3, "retry_failed", { requests: { count: 1, lines: [7] } }),
      entry(2, 3, "retry_succeeded", { requests: { count: 1, lines: [1] } }),
      entry(1, 2, "retry_requested", { requested_by: "key_1", requests: { count: 2, lines: [1, 7] } }),
      status("in_progress", 1),
      status("validating", 0),
    ],
    first_id: "bhe_7",
    last_id: "bhe_validating",
    has_more: false,
  });
});

test.each([1, 2, 3, 10, 11])("lists the same entries in pages of %d", async (limit) => {
  const seen: Entry[] = [];
  for (let query = `?limit=${String(limit)}`; ;) {
    const page = await read(id, query);
    expect(page.data.length).toBeLessThanOrEqual(limit);
    seen.push(...page.data);
    if (!page.has_more) break;
    query = `?limit=${String(limit)}&after=${String(page.last_id)}`;
  }

  expect(seen).toEqual((await read(id)).data);
  expect((await read(id, "?after=bhe_validating")).data).toEqual([]);
});

test("has one entry for a new batch", async () => {
  expect((await read(await create())).data).toMatchObject([{ id: "bhe_validating", status: "validating" }]);
});

test.each([
  ["?limit=0", "limit"],
  ["?limit=101", "limit"],
  ["?limit=ten", "limit"],
  ["?after=bhe_8", "after"],
  ["?after=bhe_completed", "after"],
  ["?after=7", "after"],
  ["?after=bhe_%00", "after"],
  ["?after=", "after"],
])("refuses %s", async (query, param) => {
  expect(await errorOf(await api.fetch(`/v1/batches/${id}/history${query}`), 400)).toMatchObject({ param });
});

describe("an admin", () => {
  test("sees the history of any tenant's batch", async () => {
    expect(await jsonOf(await asAdmin(id))).toEqual(await read(id));
  });

  test.each(["batch_none", "odd%00id"])("gets 404 for the unknown batch %s", async (unknown) => {
    expect(String((await errorOf(await asAdmin(unknown), 404))["message"])).toContain("No batch found");
  });

  test("is the only one who has access below /admin", async () => {
    const key = api.authorization("one").slice("Bearer ".length);

    expect(await errorOf(await asAdmin(id, key), 401)).toMatchObject({ code: "admin_key_only" });
  });
});
