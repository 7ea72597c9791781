/** POST /v1/batches/{id}/retry: who may ask, for which lines, and what is answered. What the lines then come to is the worker's. */
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { type BatchView, insertBatch, ensureLinePartition, getBatch, insertBlob, insertFile } from "@nightshift/db";
import { createLineIndex } from "@nightshift/domain";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";

const api = useApi();
const CUSTOM_IDS = ["good", "größe", 'with "quotes"', "last"];

let batch: BatchView;

/** A completed batch of 4 lines, of which all but the first failed. */
beforeEach(async () => {
  const now = api.now();
  const lines = CUSTOM_IDS.map((id) => JSON.stringify({ custom_id: id, body: { model: "m" } }));
  const index = createLineIndex();
  let offset = 0;
  for (const line of lines) {
    const length = Buffer.byteLength(line);
    index.add({ offset, length });
    offset += length + 1;
  }
  const blobs = { input: `files/${randomUUID()}`, index: `indexes/${randomUUID()}` };
  for (const [key, bytes] of [
    [blobs.input, Buffer.from(lines.join("\n"))],
    [blobs.index, index.toBuffer()],
  ] as const) {
    await insertBlob(api.db(), { key, ...(await api.objects().put(key, bytes)) });
  }
  const inputFileId = `file-${randomUUID()}`;
  await insertFile(api.db(), {
    id: inputFileId,
    tenant: "one",
    purpose: "batch",
    filename: "in.jsonl",
    bytes: offset,
    blob: blobs.input,
    createdAt: now,
    expiresAt: null,
  });
  const created = await insertBatch(api.db(), {
    id: `batch_${randomUUID().replaceAll("-", "")}`,
    tenant: "one",
    endpoint: "/v1/chat/completions",
    completionWindow: "24h",
    inputFileId,
    metadata: null,
    outputExpiresAfterSeconds: null,
    createdAt: now,
    deadline: new Date(now.getTime() + 86_400_000),
  });
  await ensureLinePartition(api.db(), created.day);
  await api.db().query(
    `update batches set status = 'completed', in_progress_at = created_at, completed_at = created_at, total = 4,
      fed_lines = 4, upstream = 'default', input_blob = $2, index_blob = $3 where batch_no = $1`,
    [created.batchNo, blobs.input, blobs.index],
  );
  await api
    .db()
    .query(
      `update batch_progress set completed = 1, failed = 3, sealed_at = now(), sealed_as = 'done' where batch_no = $1`,
      [created.batchNo],
    );
  await api.db().query(
    `insert into lines (day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq)
    select $1, $2, n, 1, 0, 1, n > 0, false, 0, 1 from generate_series(0, 3) as n`,
    [created.day, created.batchNo],
  );
  batch = (await getBatch(api.db(), created.batchNo)) ?? created;
});

function retry(body?: unknown, id = batch.id, tenant: "one" | "two" = "one"): Promise<Response> {
  return api.fetch(`/v1/batches/${id}/retry`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    tenant,
  });
}

async function retried(): Promise<unknown> {
  const { rows } = await api
    .db()
    .query<{ line: number }>("select line from retries where batch_no = $1 order by line", [batch.batchNo]);
  return rows.map(({ line }) => line);
}

const setStatus = (status: string) =>
  api.db().query("update batches set status = $2 where batch_no = $1", [batch.batchNo, status]);

describe("which lines", () => {
  test.each([
    ["no body", undefined, [1, 2, 3]],
    ["an empty object", {}, [1, 2, 3]],
    ["a number, twice", { lines: [3, 3] }, [2]],
    ["a line that has not failed", { lines: [1] }, []],
    ["custom_ids with odd characters", { custom_ids: ["größe", 'with "quotes"'] }, [1, 2]],
    ["both lists", { custom_ids: ["last"], lines: [2] }, [1, 3]],
  ])("%s", async (_what, body, expected) => {
    const before = await jsonOf(await api.fetch(`/v1/batches/${batch.id}`, { tenant: "one" }));

    const reply = await retry(body);

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toEqual(before);
    expect(await retried()).toEqual(expected);
  });

  test("asked for twice, each line runs again once", async () => {
    await retry();
    expect((await retry()).status).toBe(200);

    expect(await retried()).toEqual([1, 2, 3]);
  });

  test.each([
    [{ lines: [5] }, "lines", "4 requests"],
    [{ lines: [0] }, "lines[0]", "at least 1"],
    [{ lines: [] }, "lines", "at least 1 entry"],
    [{ lines: ["1"] }, "lines[0]", "expected an integer"],
    [{ custom_ids: ["gone"] }, "custom_ids", "'gone'"],
    [{ custom_id: "last" }, "custom_id", "Unknown parameter"],
  ])("%j is refused", async (body, param, message) => {
    const error = await errorOf(await retry(body), 400);

    expect(error).toMatchObject({ param, message: expect.stringContaining(message) });
    expect(await retried()).toEqual([]);
  });
});

describe("which batches", () => {
  test.each(["validating", "cancelling", "failed"])("one that is %s is not retried", async (status) => {
    await setStatus(status);

    const reply = await retry();

    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(reply, 409)).toMatchObject({ code: "batch_not_retryable" });
  });

  test("one whose files are being made is retried later", async () => {
    await setStatus("finalizing");

    const reply = await retry();

    expect(reply.headers.get("x-should-retry")).toBe("true");
    expect(await errorOf(reply, 409)).toMatchObject({ code: "batch_not_retryable" });
  });

  test.each(["deleted", "forgotten", "lost"])("one whose input was %s says so", async (how) => {
    if (how === "deleted") await api.fetch(`/v1/files/${batch.inputFileId}`, { method: "DELETE", tenant: "one" });
    else if (how === "lost") await api.objects().delete([batch.inputBlob ?? "", batch.indexBlob ?? ""]);
    else {
      await api
        .db()
        .query("update batches set input_blob = null, index_blob = null where batch_no = $1", [batch.batchNo]);
    }

    for (const body of [{}, { custom_ids: ["last"] }]) {
      const reply = await retry(body);

      expect(reply.headers.get("x-should-retry")).toBe("false");
      expect(await errorOf(reply, 409)).toMatchObject({ code: "batch_file_gone" });
    }
  });

  test("one whose output was deleted says so, and none of its lines runs", async () => {
    const output = { id: `file-${randomUUID()}`, blob: `files/${randomUUID()}`, bytes: 1 };
    await insertBlob(api.db(), { key: output.blob, bytes: 1, etag: "e" });
    const file = { ...output, tenant: "one", purpose: "batch_output", filename: "out.jsonl", createdAt: api.now() };
    await insertFile(api.db(), { ...file, expiresAt: null });
    await api.db().query("update batches set output_file_id = $2 where batch_no = $1", [batch.batchNo, output.id]);
    await api.fetch(`/v1/files/${output.id}`, { method: "DELETE" });

    const reply = await retry();

    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(reply, 409)).toMatchObject({
      code: "batch_file_gone",
      message: expect.stringContaining("output"),
    });
    expect(await retried()).toEqual([]);
  });

  test("one without failed lines is answered as it is", async () => {
    await api.db().query("update lines set failed = false where batch_no = $1", [batch.batchNo]);

    expect((await retry()).status).toBe(200);
    expect(await retried()).toEqual([]);
  });

  test("another tenant's is as unknown as one that never was", async () => {
    const others = await errorOf(await retry({}, batch.id, "two"), 404);
    const missing = await errorOf(await retry({}, "batch_0", "two"), 404);

    expect(JSON.stringify(others).replace(batch.id, "batch_0")).toBe(JSON.stringify(missing));
    expect(await retried()).toEqual([]);
  });
});

test("the batch's history says which key asked, and for which requests", async () => {
  await retry({ lines: [2, 4] });

  const history = await jsonOf(await api.fetch(`/v1/batches/${batch.id}/history?limit=1`));
  const { rows } = await api.db().query<{ id: string }>("select public_id as id from api_keys where tenant = 'one'");

  expect(history).toMatchObject({
    has_more: true,
    data: [
      {
        id: "bhe_1",
        batch_id: batch.id,
        created_at: Math.floor(api.now().getTime() / 1000),
        type: "retry_requested",
        requested_by: rows[0]?.id,
        requests: { count: 2, lines: [2, 4] },
      },
    ],
  });
});
