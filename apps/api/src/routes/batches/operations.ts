/** The operations of batches, as the API's description has them: contract §1.3. */
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

/** Where a batch may ask for these completion windows. */
export const batchOperationsWith = (windows: Iterable<string>): readonly Operation[] => [
  {
    method: "post",
    path: "/v1/batches",
    id: "createBatch",
    tag,
    summary: "Create a batch",
    description:
      "Answers at once with the batch in `validating`. The lines of the input file are judged afterwards, and a file that is " +
      "not there fails the batch, not this request: see `errors` of the Batch object.",
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
    description: "A page of the tenant's batches, the newest first.",
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
    description: "The Batch object as it is now; clients poll it until its status is final.",
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
      "Nothing new is sent from now on; requests in flight may finish, the rest become error lines. Asking again changes " +
      "nothing. The 409 of a batch that has ended carries `x-should-retry: false`. The body is not looked at.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The batch, in `cancelling`, or `cancelled` where it was before.", BatchObject),
    errors: ["batchNotFound", "cannotCancel"],
  },
];
