/** The Batch object of the API. */
import { expect, test } from "@jest/globals";
import type { BatchView } from "@nightshift/db";
import { BATCH_STATUSES, BatchObject } from "@nightshift/domain";
import { presentBatch } from "./batch.ts";

const at = (second: number): Date => new Date(1_787_150_474_000 + second * 1000 + 999);
const noTokens = { inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedTokens: 0, reasoningTokens: 0 };
const tokens = { inputTokens: 1, outputTokens: 2, totalTokens: 3, cachedTokens: 4, reasoningTokens: 5 };

const created: BatchView = {
  batchNo: 7,
  id: "batch_1",
  tenant: "default",
  endpoint: "/v1/responses",
  completionWindow: "24h",
  inputFileId: "file-1",
  metadata: null,
  outputExpiresAfterSeconds: null,
  status: "validating",
  model: null,
  errors: null,
  outputFileId: null,
  errorFileId: null,
  createdAt: at(0),
  deadline: at(86_400),
  inProgressAt: null,
  finalizingAt: null,
  completedAt: null,
  failedAt: null,
  expiredAt: null,
  cancellingAt: null,
  cancelledAt: null,
  upstream: null,
  inputBlob: null,
  indexBlob: null,
  total: 0,
  admittedAt: null,
  requestId: null,
  day: 20_684,
  completed: 0,
  failed: 0,
  sealedAs: null,
  usage: noTokens,
};

const running: BatchView = {
  ...created,
  status: "in_progress",
  inProgressAt: at(3),
  total: 9,
  completed: 4,
  failed: 1,
};

test("a new batch has every key of the contract, in order, with explicit nulls and zeros", () => {
  expect(JSON.stringify(presentBatch(created))).toBe(
    '{"id":"batch_1","object":"batch","endpoint":"/v1/responses","model":null,"errors":null,' +
      '"input_file_id":"file-1","completion_window":"24h","status":"validating","output_file_id":null,"error_file_id":null,' +
      '"created_at":1787150474,"in_progress_at":null,"expires_at":1787236874,"finalizing_at":null,"completed_at":null,"failed_at":null,' +
      '"expired_at":null,"cancelling_at":null,"cancelled_at":null,"request_counts":{"total":0,"completed":0,"failed":0},' +
      '"usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0,"input_tokens_details":{"cached_tokens":0},"output_tokens_details":{"reasoning_tokens":0}},' +
      '"metadata":null}',
  );
});

test("a batch has the keys of the schema, in the same order", () => {
  expect(Object.keys(presentBatch(created))).toEqual(Object.keys(BatchObject.properties));
});

test("writes each time of a batch under its own key, in whole seconds", () => {
  const times = {
    inProgressAt: at(1),
    finalizingAt: at(2),
    completedAt: at(3),
    failedAt: at(4),
    expiredAt: at(5),
    cancellingAt: at(6),
    cancelledAt: at(7),
  };

  expect(presentBatch({ ...created, ...times })).toMatchObject({
    in_progress_at: 1_787_150_475,
    finalizing_at: 1_787_150_476,
    completed_at: 1_787_150_477,
    failed_at: 1_787_150_478,
    expired_at: 1_787_150_479,
    cancelling_at: 1_787_150_480,
    cancelled_at: 1_787_150_481,
  });
});

test("the counts of a running batch include the finished lines", () => {
  expect(presentBatch(running).request_counts).toEqual({ total: 9, completed: 4, failed: 1 });
});

test("a batch that never ran has counts of zero", () => {
  expect(presentBatch({ ...created, status: "cancelled", total: 9 }).request_counts).toEqual({
    total: 0,
    completed: 0,
    failed: 0,
  });
});

test.each(BATCH_STATUSES)("the usage of a batch that is %s is shown only if the batch is final", (status) => {
  const isShown = ["completed", "failed", "expired", "cancelled"].includes(status);

  expect(presentBatch({ ...running, status, usage: tokens }).usage).toEqual({
    input_tokens: isShown ? 1 : 0,
    output_tokens: isShown ? 2 : 0,
    total_tokens: isShown ? 3 : 0,
    input_tokens_details: { cached_tokens: isShown ? 4 : 0 },
    output_tokens_details: { reasoning_tokens: isShown ? 5 : 0 },
  });
});

test("a failed batch lists its errors, and any other batch has null", () => {
  const errors = [
    { code: "invalid_json_line", message: "This line is not parseable as valid JSON.", param: null, line: 2 },
  ];

  expect(presentBatch({ ...created, status: "failed", errors }).errors).toEqual({ object: "list", data: errors });
  expect(presentBatch(running).errors).toBeNull();
});

test("the keys of an error are in the order of the contract, regardless of their order in Postgres", () => {
  const error = {
    line: 2,
    param: null,
    code: "invalid_json_line",
    message: "This line is not parseable as valid JSON.",
  };

  expect(JSON.stringify(presentBatch({ ...created, status: "failed", errors: [error] }).errors?.data)).toBe(
    '[{"code":"invalid_json_line","message":"This line is not parseable as valid JSON.","param":null,"line":2}]',
  );
});
