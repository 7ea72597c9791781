/** The entries of GET /v1/batches/{batch_id}/history: our own extension, docs/extensions.md. */
import { Type, type Static } from "@sinclair/typebox";
import { BatchObject } from "./batch.ts";

const FileChange = Type.Union(
  [Type.Literal("unchanged"), Type.Literal("created"), Type.Literal("replaced"), Type.Literal("removed")],
  { description: "A replaced file keeps its id. A file is `removed` when no request belongs in it any longer." },
);

/** One entry in wire order. Every key is always present. */
export const BatchHistoryEntry = Type.Object(
  {
    id: Type.String({ description: "The cursor for `after`. Unique within the batch." }),
    object: Type.Literal("batch.history_entry"),
    batch_id: Type.String(),
    created_at: Type.Integer({ description: "Unix seconds." }),
    type: Type.Union(
      [
        Type.Literal("status"),
        Type.Literal("retry_requested"),
        Type.Literal("retry_succeeded"),
        Type.Literal("retry_failed"),
        Type.Literal("retry_given_up"),
        Type.Literal("files_rebuilt"),
      ],
      { description: "Decides which of the keys below are set." },
    ),
    message: Type.String({ description: "The entry in words, for people. The wording may change." }),
    status: Type.Union([BatchObject.properties.status, Type.Null()], {
      description: "For `status`: the new status of the batch.",
    }),
    requested_by: Type.Union([Type.String(), Type.Null()], {
      description: "For `retry_requested`: the id of an API key, or `admin` for a retry in the dashboard.",
    }),
    requests: Type.Union(
      [
        Type.Object(
          {
            count: Type.Integer({ minimum: 1 }),
            lines: Type.Array(Type.Integer({ minimum: 1 }), {
              description: "The numbers of the first 100 requests, counted from 1, as the body of a retry takes them.",
            }),
          },
          { additionalProperties: false },
        ),
        Type.Null(),
      ],
      { description: "For `retry_…`: the requests of this entry." },
    ),
    files: Type.Union(
      [Type.Object({ output: FileChange, error: FileChange }, { additionalProperties: false }), Type.Null()],
      { description: "For `files_rebuilt`: what changed in the output and the error file." },
    ),
  },
  { $id: "BatchHistoryEntry", additionalProperties: false },
);
export type BatchHistoryEntry = Static<typeof BatchHistoryEntry>;
