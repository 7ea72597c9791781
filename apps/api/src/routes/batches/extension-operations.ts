/** Describes the operations on batches that OpenAI does not have (docs/extensions.md) for the OpenAPI document. */
import { BatchHistoryEntry, BatchObject, listSchema, ProgressEvent, ResultPageObject } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { JSON_BODY_CASES, ok, type Operation } from "../../operation.ts";
import { RetryBatchBody } from "../../retry/chosen-lines.ts";
import { BatchHistoryQuery } from "./batch-history.ts";
import { BatchResultsQuery } from "./batch-results.ts";

const tag = "Batches";
const params = Type.Object({ batch_id: Type.String({ description: "The id of a batch of this tenant." }) });

/** One event. OpenAPI 3.1 cannot describe a stream; tools use the schema of the stream for each event. */
const BatchEvent = Type.Object(
  {
    id: Type.String({ description: "The value for `Last-Event-ID`." }),
    event: Type.Union([Type.Literal("progress"), Type.Literal("done")], { description: "`done` is the last event." }),
    data: Type.Unsafe<string>({
      type: "string",
      contentMediaType: "application/json",
      contentSchema: ProgressEvent,
    }),
  },
  { $id: "BatchEvent", description: "One server-sent event of the stream." },
);

const historyReplies = ok("A page of the history.", listSchema(BatchHistoryEntry, "BatchHistory"));

export const batchExtensionOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/batches/{batch_id}/events",
    id: "streamBatchEvents",
    tag,
    summary: "Follow a batch's progress",
    description:
      "Streams server-sent events: one at once and one after each change, at most one per second. Each event has the whole " +
      "state. The stream ends with the event `done` when the batch is final.",
    extension: true,
    key: "tenant",
    params,
    headers: Type.Object({
      "Last-Event-ID": Type.Optional(
        Type.String({
          description: "The id of the last event that the client received. An EventSource sends it when it reconnects.",
        }),
      ),
    }),
    replies: {
      200: { description: "The stream.", content: { "text/event-stream": BatchEvent } },
      204: { description: "The client has already received `done`. An EventSource stops reconnecting." },
    },
    errors: ["batchNotFound"],
  },
  {
    method: "get",
    path: "/v1/batches/{batch_id}/results",
    id: "listBatchResults",
    tag,
    summary: "Read results while the batch runs",
    description:
      "Returns a page of output and error lines, in the order in which they were recorded. Continue with `next_cursor` until " +
      "`has_more` is false. Lines that never finished are only in the error file. One day after the end of the batch, the " +
      "reply becomes 404.",
    extension: true,
    key: "tenant",
    params,
    query: BatchResultsQuery,
    replies: ok("A page of lines.", ResultPageObject),
    errors: ["batchNotFound", "resultsGone", "invalidType", "outOfRange"],
  },
  {
    method: "get",
    path: "/v1/batches/{batch_id}/history",
    id: "listBatchHistory",
    tag,
    summary: "List the history of a batch",
    description:
      "Returns a page of the history, newest entry first. It lists the states of the batch, each retry with its requester " +
      "and its outcome, and each time that the result files were rebuilt.",
    extension: true,
    key: "tenant",
    params,
    query: BatchHistoryQuery,
    replies: historyReplies,
    errors: ["batchNotFound", "invalidType", "outOfRange"],
  },
  {
    method: "get",
    path: "/admin/v1/batches/{batch_id}/history",
    id: "listAnyBatchHistory",
    tag: "Admin: batches",
    summary: "List the history of any tenant's batch",
    description: "Returns the same history that the tenant sees.",
    extension: true,
    key: "admin",
    params: Type.Object({ batch_id: Type.String({ description: "The id of a batch of any tenant." }) }),
    query: BatchHistoryQuery,
    replies: historyReplies,
    errors: ["batchNotFound", "invalidType", "outOfRange"],
  },
  {
    method: "post",
    path: "/v1/batches/{batch_id}/retry",
    id: "retryBatch",
    tag,
    summary: "Retry failed requests",
    description:
      "Retries the failed requests of a batch, or only the ones in the body. With both lists, a request is retried if it is in " +
      "either of them. Requests that did not fail or are already being retried are skipped.",
    extension: true,
    key: "tenant",
    params,
    body: {
      mediaType: "application/json",
      schema: RetryBatchBody,
      isRequired: false,
      example: { custom_ids: ["req-2"], lines: [3] },
    },
    replies: ok("The batch.", BatchObject),
    errors: [
      ...JSON_BODY_CASES,
      "invalidType",
      "outOfRange",
      "unknownParameter",
      "batchNotFound",
      "cannotRetry",
      "cannotRetryWithout",
    ],
  },
];
