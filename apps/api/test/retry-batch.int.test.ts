/**
 * POST /v1/batches/{id}/retry: the lines it selects, the batches it accepts, and its replies. Tests of the worker cover
 * the results.
 */
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { type BatchView, insertBlob } from "@nightshift/db";
import { type BatchStatus, createLineIndex } from "@nightshift/domain";
import {
  claimedSlice,
  finish,
  newBatch,
  newInputFile,
  newUpstream,
  recordLines,
  startBatch,
} from "@nightshift/testing/batches";
import { errorOf, jsonOf, moveTo, useApi } from "./api-under-test.ts";

const api = useApi();
const CUSTOM_IDS = ["good", "größe", 'with "quotes"', "last"];

let batch: BatchView;

/** Creates a completed batch of 4 lines. All but the first line failed. */
beforeEach(async () => {
  const createdAt = api.now();
  const lines = CUSTOM_IDS.map((id) => JSON.stringify({ custom_id: id, body: { model: "m" } }));
  const index = createLineIndex();
  let offset = 0;
  for (const line of lines) {
    const length = Buffer.byteLength(line);
    index.add({ offset, length });
    offset += length + 1;
  }
  const input = await putObject("files", Buffer.from(lines.join("\n")));
  const indexed = await putObject("indexes", index.toBuffer());
  await insertBlob(api.db(), indexed);
  const inputFileId = await newInputFile(api.db(), { tenant: "one", blob: input, createdAt, expiresAt: null });
  const created = await newBatch(api.db(), { tenant: "one", inputFileId, createdAt });
  const upstream = await newUpstream(api.db());
  await startBatch(api.db(), created, 4, upstream, { inputBlob: input.key, indexBlob: indexed.key });
  await claimedSlice(api.db(), { ...created, upstream }, 4);
  await recordLines(api.db(), created.batchNo, [0]);
  await recordLines(api.db(), created.batchNo, [1, 2, 3], { resultKind: "error" });
  batch = await finish(api.db(), { ...created, upstream }, "completed");
});

async function putObject(folder: string, bytes: Buffer): Promise<{ key: string; bytes: number; etag: string }> {
  const key = `${folder}/${randomUUID()}`;
  return { key, ...(await api.objects().put(key, bytes)) };
}

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

async function batchIn(status: BatchStatus): Promise<BatchView> {
  const created = await newBatch(api.db(), { tenant: "one", createdAt: api.now() });
  if (status !== "validating") await moveTo(api, created.batchNo, status);
  return created;
}

describe("the lines of a retry", () => {
  test.each([
    ["no body", undefined, [1, 2, 3]],
    ["an empty object", {}, [1, 2, 3]],
    ["a number, twice", { lines: [3, 3] }, [2]],
    ["a line that has not failed", { lines: [1] }, []],
    ["custom_ids with odd characters", { custom_ids: ["größe", 'with "quotes"'] }, [1, 2]],
    ["both lists", { custom_ids: ["last"], lines: [2] }, [1, 3]],
  ])("are the right ones with %s", async (_what, body, expected) => {
    const before = await jsonOf(await api.fetch(`/v1/batches/${batch.id}`, { tenant: "one" }));

    const reply = await retry(body);

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toEqual(before);
    expect(await retried()).toEqual(expected);
  });

  test("run once if the retry is requested twice", async () => {
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
  ])("cannot be selected by %j", async (body, param, message) => {
    const error = await errorOf(await retry(body), 400);

    expect(error).toMatchObject({ param, message: expect.stringContaining(message) });
    expect(await retried()).toEqual([]);
  });
});

describe("the batch of a retry", () => {
  test.each(["validating", "cancelling", "failed"] as const)("is refused if it is %s", async (status) => {
    const { id } = await batchIn(status);

    const reply = await retry({}, id);

    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(reply, 409)).toMatchObject({ code: "batch_not_retryable" });
  });

  test("is refused if it is finalizing, and SDKs are told to retry", async () => {
    const { id } = await batchIn("finalizing");

    const reply = await retry({}, id);

    expect(reply.headers.get("x-should-retry")).toBe("true");
    expect(await errorOf(reply, 409)).toMatchObject({ code: "batch_not_retryable" });
  });

  test.each(["deleted", "forgotten", "lost"])("is refused if its input was %s", async (how) => {
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

  test("is refused if its output was deleted, and none of its lines runs again", async () => {
    await api.fetch(`/v1/files/${String(batch.outputFileId)}`, { method: "DELETE" });

    const reply = await retry();

    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(reply, 409)).toMatchObject({
      code: "batch_file_gone",
      message: expect.stringContaining("output"),
    });
    expect(await retried()).toEqual([]);
  });

  test("is returned unchanged if it has no failed lines", async () => {
    await api.db().query("update lines set failed = false where batch_no = $1", [batch.batchNo]);

    expect((await retry()).status).toBe(200);
    expect(await retried()).toEqual([]);
  });

  test("returns 404 to another tenant, byte for byte the same as for a batch that does not exist", async () => {
    const others = await errorOf(await retry({}, batch.id, "two"), 404);
    const missing = await errorOf(await retry({}, "batch_0", "two"), 404);

    expect(JSON.stringify(others).replace(batch.id, "batch_0")).toBe(JSON.stringify(missing));
    expect(await retried()).toEqual([]);
  });
});

test("the history of the batch has the API key and the requests of the retry", async () => {
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
