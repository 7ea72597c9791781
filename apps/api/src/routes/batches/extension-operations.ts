/** The operations of batches that OpenAI does not have, as the API's description has them: docs/extensions.md. */
import { BatchHistoryEntry, BatchObject, listSchema, ProgressEvent, ResultPageObject } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { JSON_BODY_CASES, ok, type Operation } from "../../operation.ts";
import { RetryBatchBody } from "../../retry/chosen-lines.ts";
import { BatchHistoryQuery } from "./batch-history.ts";
import { BatchResultsQuery } from "./batch-results.ts";

const tag = "Batches";
const params = Type.Object({ batch_id: Type.String({ description: "The id of a batch of this tenant." }) });

/** One event of the stream: OpenAPI 3.1 has no word for the whole stream, and tools take its schema for that of each event. */
const BatchEvent = Type.Object(
  {
    id: Type.String({ description: "For `Last-Event-ID`." }),
    event: Type.Union([Type.Literal("progress"), Type.Literal("done")], { description: "`done` is the last one." }),
    data: Type.Unsafe<string>({
      type: "string",
      contentMediaType: "application/json",
      contentSchema: ProgressEvent,
    }),
  },
  { $id: "BatchEvent", description: "One of the stream's server-sent events." },
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
      "A stream of server-sent events: one at once and on each change, at most one a second, each with the whole state. It ends " +
      "with the event `done` when the batch is final.",
    extension: true,
    key: "tenant",
    params,
    headers: Type.Object({
      "Last-Event-ID": Type.Optional(
        Type.String({ description: "Sent by an EventSource that connects again: the id of the last event it had." }),
      ),
    }),
    replies: {
      200: { description: "The stream.", content: { "text/event-stream": BatchEvent } },
      204: { description: "The client has seen `done` already; an EventSource stops asking." },
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
      "A page of output and error lines, in the order in which they were recorded. Go on with `next_cursor` until `has_more` is " +
      "false. Lines that were never finished are in the error file alone. From a day after the batch's end on the answer is 404.",
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
    summary: "See what happened to a batch",
    description:
      "A page of the batch's history, the newest entry first: its states, each retry with who asked for it and what came of it, " +
      "and each time that its files were made anew.",
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
    summary: "See what happened to any tenant's batch",
    description: "The history as its tenant sees it.",
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
      "Sends the batch's failed requests again, or those of them that the body names; both lists together mean the requests of " +
      "either. What runs again already, or never failed, is left alone.",
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
