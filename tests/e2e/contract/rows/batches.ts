/** Contract §1.3, §3 and §5.2 for every client: creating batches, and their fields until they end. */
import { describe, expect, test } from "@jest/globals";
import type { Fields, Json } from "../clients/client.ts";
import { expectRefusal, idOf, jsonOf, keysOf } from "../expectations.ts";
import { batchOf, INPUT, uploadInput } from "../fixture-batches.ts";
import type { ClientFixture } from "../fixture.ts";

const ZERO_USAGE = {
  input_tokens: 0,
  output_tokens: 0,
  total_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens_details: { reasoning_tokens: 0 },
};
const NO_COUNTS = { total: 0, completed: 0, failed: 0 };
const KEYS = [
  ...["id", "object", "endpoint", "model", "errors", "input_file_id", "completion_window", "status", "output_file_id"],
  ...["error_file_id", "created_at", "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at"],
  ...["expired_at", "cancelling_at", "cancelled_at", "request_counts", "usage", "metadata"],
].sort();
const ENDPOINTS = [
  ...["/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/moderations"],
  ...["/v1/images/generations", "/v1/images/edits", "/v1/videos"],
];

const pairs = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${String(at)}`, String(at)]));
const timesOf = (batch: Json, ...names: readonly string[]): unknown[] => names.map((name) => batch[`${name}_at`]);

/** Registers the rows. */
export function batchRows({ client, batches }: ClientFixture): void {
  describe("created", () => {
    test("§3.1, §7.4: a new batch has every key, zeros and nulls", async () => {
      const { created, input } = await batches().mixed;

      expect(keysOf(created)).toEqual(KEYS);
      const createdAt = created["created_at"] as number;
      expect(created).toEqual({
        id: expect.stringMatching(/^batch_[0-9a-f]{32}$/),
        object: "batch",
        endpoint: "/v1/chat/completions",
        model: null,
        errors: null,
        input_file_id: input["id"],
        completion_window: "24h",
        status: "validating",
        output_file_id: null,
        error_file_id: null,
        created_at: createdAt,
        in_progress_at: null,
        expires_at: createdAt + 86_400,
        finalizing_at: null,
        completed_at: null,
        failed_at: null,
        expired_at: null,
        cancelling_at: null,
        cancelled_at: null,
        request_counts: NO_COUNTS,
        usage: ZERO_USAGE,
        metadata: { job: "nightly" },
      });
      expect(Math.abs(Number.parseInt(String(created["id"]).slice(6, 14), 16) - createdAt)).toBeLessThanOrEqual(1);
    });

    test.each([
      ["1h", 3_600],
      ["24h", 86_400],
      ["7d", 604_800],
    ])("§1.3: the batch echoes the configured window %s and expires after it", async (window, seconds) => {
      const batch = await jsonOf(client().batches.create(batchOf("file-1", { completion_window: window })));

      expect(batch).toMatchObject({ status: "validating", completion_window: window });
      expect(batch["expires_at"]).toBe((batch["created_at"] as number) + seconds);
    });

    test.each(["48h", "", "24H", "1d"])(
      "§5.2: the window %j returns 400 with a list of the configured windows",
      async (window) => {
        expectRefusal(await client().batches.create(batchOf("file-1", { completion_window: window })), {
          status: 400,
          message: `Invalid value for 'completion_window': '${window}'. Supported values are: '1h', '24h', '7d'.`,
          param: "completion_window",
          code: "invalid_value",
        });
      },
    );

    test("§1.3: create accepts and echoes every endpoint of the contract", async () => {
      const batches = await Promise.all(
        ENDPOINTS.map((endpoint) => jsonOf(client().batches.create(batchOf("file-1", { endpoint })))),
      );

      expect(batches.map(({ endpoint }) => endpoint)).toEqual(ENDPOINTS);
    });

    test.each<[string, Fields["metadata"]]>([
      ["null", null],
      ["empty", {}],
      ["of 16 pairs", pairs(16)],
      ["of the longest key and value", { ["k".repeat(64)]: "v".repeat(512) }],
      ["in any script", { größe: "日本 🙂" }],
    ])("§1.3: create echoes metadata: %s", async (_what, metadata) => {
      expect((await jsonOf(client().batches.create(batchOf("file-1", { metadata }))))["metadata"]).toEqual(metadata);
    });

    test.each<[string, Fields, string, unknown]>([
      [
        "input_file_id",
        { input_file_id: undefined },
        "missing_required_parameter",
        "Missing required parameter: 'input_file_id'.",
      ],
      ["endpoint", { endpoint: undefined }, "missing_required_parameter", "Missing required parameter: 'endpoint'."],
      [
        "completion_window",
        { completion_window: undefined },
        "missing_required_parameter",
        "Missing required parameter: 'completion_window'.",
      ],
      [
        "input_file_id",
        { input_file_id: 7 },
        "invalid_type",
        "Invalid type for 'input_file_id': expected a string, but got an integer instead.",
      ],
      [
        "endpoint",
        { endpoint: "/v1/nope" },
        "invalid_value",
        expect.stringMatching(/'\/v1\/nope'.*Supported values are/),
      ],
      [
        "metadata.tags",
        { metadata: { tags: ["a"] } },
        "invalid_type",
        "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
      ],
      [
        "metadata",
        { metadata: pairs(17) },
        "invalid_value",
        expect.stringMatching(/^Invalid value for 'metadata': .*16/),
      ],
      [
        `metadata.${"k".repeat(65)}`,
        { metadata: { ["k".repeat(65)]: "v" } },
        "invalid_value",
        expect.stringContaining("must not be longer than 64 characters"),
      ],
      [
        "metadata.key",
        { metadata: { key: "v".repeat(513) } },
        "invalid_value",
        expect.stringContaining("must not be longer than 512 characters"),
      ],
      [
        "output_expires_after.seconds",
        { output_expires_after: { anchor: "created_at", seconds: 3_599 } },
        "invalid_value",
        expect.stringContaining("3600"),
      ],
      [
        "output_expires_after.seconds",
        { output_expires_after: { anchor: "created_at", seconds: 2_592_001 } },
        "invalid_value",
        expect.stringContaining("2592000"),
      ],
      [
        "output_expires_after.anchor",
        { output_expires_after: { anchor: "completed_at", seconds: 3_600 } },
        "invalid_value",
        expect.stringContaining("'created_at'"),
      ],
    ])("§1.3, §5.2, §7.9: an invalid %s returns 400: %j", async (param, change, code, message) => {
      expectRefusal(await client().batches.create(batchOf("file-1", change)), { status: 400, message, param, code });
    });

    test("§7.12: an input file with another purpose returns 400", async () => {
      const file = { bytes: Buffer.from(INPUT), name: "input.jsonl" };
      const id = await idOf(client().files.create(file, { purpose: "user_data" }));

      expectRefusal(await client().batches.create(batchOf(id)), {
        status: 400,
        message: `File '${id}' has purpose 'user_data'. The input file of a batch must be uploaded with purpose 'batch'.`,
        param: "input_file_id",
      });
    });

    test("§1.3: several batches can use the same input file", async () => {
      const { id } = await uploadInput(client());

      const [first, second] = [1, 2].map(() => idOf(client().batches.create(batchOf(String(id)))));

      expect(await first).not.toBe(await second);
    });
  });

  test("§3.1, §3.2, §7.17, §7.18: a completed batch has ordered timestamps, counts, usage and file ids", async () => {
    const { created, ended } = await batches().mixed;

    expect(keysOf(ended)).toEqual(KEYS);
    expect(ended).toMatchObject({
      id: created["id"],
      status: "completed",
      model: "gpt-4",
      errors: null,
      output_file_id: expect.stringMatching(/^file-/),
      error_file_id: expect.stringMatching(/^file-/),
      expires_at: created["expires_at"],
      request_counts: { total: 3, completed: 2, failed: 1 },
      metadata: { job: "nightly" },
    });
    const times = timesOf(ended, "created", "in_progress", "finalizing", "completed") as number[];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.every(Number.isInteger)).toBe(true);
    expect(timesOf(ended, "failed", "expired", "cancelling", "cancelled")).toEqual([null, null, null, null]);
    const {
      input_tokens: input,
      output_tokens: output,
      total_tokens: total,
    } = ended["usage"] as Record<string, number>;
    expect(input).toBeGreaterThan(0);
    expect(total).toBe((input ?? 0) + (output ?? 0));
  });

  test("§3.1: a running batch has its counts, but no usage and no file ids", async () => {
    const { running } = await batches().cancelled;

    expect(keysOf(running)).toEqual(KEYS);
    expect(running).toMatchObject({
      status: "in_progress",
      request_counts: { total: 2, completed: 1, failed: 0 },
      usage: ZERO_USAGE,
      output_file_id: null,
      error_file_id: null,
      in_progress_at: expect.any(Number),
    });
    expect(timesOf(running, "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")).toEqual(
      Array.from({ length: 6 }, () => null),
    );
  });

  test("§1.1: a batch completes even if its input file is deleted while it runs", async () => {
    expect(await batches().orphaned).toMatchObject({
      status: "completed",
      request_counts: { total: 2, completed: 2, failed: 0 },
    });
  });

  test("§3.2, §7.14: a batch completes without an output file when every request is refused", async () => {
    const { ended } = await batches().refused;

    expect(ended).toMatchObject({
      status: "completed",
      output_file_id: null,
      error_file_id: expect.stringMatching(/^file-/),
      request_counts: { total: 2, completed: 0, failed: 2 },
      usage: ZERO_USAGE,
      errors: null,
    });
  });

  test.each(["retrieve", "cancel"] as const)("§5.2: %s of an unknown batch returns 404", async (call) => {
    for (const id of ["batch_nothing", "batch_00000000000000000000000000000000", "file-1"]) {
      expectRefusal(await client().batches[call](id), { status: 404, message: `No batch found with id '${id}'.` });
    }
  });
}
