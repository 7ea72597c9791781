/** Describes the operations on batches (contract §1.3) for the OpenAPI document. */
import { BatchObject, createBatchBody, listSchema } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import {
  IDEMPOTENCY_CASES,
  IdempotencyHeaders,
  JSON_BODY_CASES,
  ok,
  type Operation,
  REPLAYED_HEADER,
  SCHEMA_CASES,
} from "../../operation.ts";
import { ListBatchesQuery } from "./list-batches.ts";

const tag = "Batches";
const params = Type.Object({ batch_id: Type.String({ description: "The id of a batch of this tenant." }) });

const BATCH_ID = { batch_id: "$response.body#/id" };

/** Returns the operations of a server that offers these completion windows. */
export const batchOperationsWith = (windows: Iterable<string>): readonly Operation[] => [
  {
    method: "post",
    path: "/v1/batches",
    id: "createBatch",
    tag,
    summary: "Create a batch",
    description:
      "Returns the batch in `validating` at once. The input file is validated afterwards: a missing file or an invalid line fails " +
      "the batch, not this request. See `errors` of the Batch object.",
    extension: false,
    key: "tenant",
    headers: IdempotencyHeaders,
    body: {
      mediaType: "application/json",
      schema: createBatchBody(windows),
      isRequired: true,
      example: {
        input_file_id: "file-abc123",
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
        metadata: { job: "nightly" },
      },
    },
    replies: {
      200: {
        description: "The batch, in `validating`.",
        content: { "application/json": BatchObject },
        headers: REPLAYED_HEADER,
        links: { retrieveBatch: BATCH_ID, cancelBatch: BATCH_ID },
      },
    },
    errors: [...JSON_BODY_CASES, ...SCHEMA_CASES, "wrongPurpose", "batchQueueFull", ...IDEMPOTENCY_CASES],
  },
  {
    method: "get",
    path: "/v1/batches",
    id: "listBatches",
    tag,
    summary: "List batches",
    description: "Returns a page of the batches of the tenant, newest first.",
    extension: false,
    key: "tenant",
    query: ListBatchesQuery,
    replies: ok("A page of batches.", listSchema(BatchObject, "BatchList")),
    errors: ["invalidType", "outOfRange"],
  },
  {
    method: "get",
    path: "/v1/batches/{batch_id}",
    id: "retrieveBatch",
    tag,
    summary: "Retrieve a batch",
    description: "Returns the current state of a batch. Clients poll it until `status` is final.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The batch.", BatchObject),
    errors: ["batchNotFound"],
  },
  {
    method: "post",
    path: "/v1/batches/{batch_id}/cancel",
    id: "cancelBatch",
    tag,
    summary: "Cancel a batch",
    description:
      "Stops sending requests. Requests in flight may finish, and all others become error lines. A repeated call changes " +
      "nothing. If the batch has ended, the reply is 409 with `x-should-retry: false`. The body is ignored.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The batch in `cancelling`, or in `cancelled` if it was cancelled before.", BatchObject),
    errors: ["batchNotFound", "cannotCancel"],
  },
];
