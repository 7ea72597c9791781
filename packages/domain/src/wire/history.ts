/** What GET /v1/batches/{batch_id}/history lists: ours, docs/extensions.md. */
import { Type, type Static } from "@sinclair/typebox";
import { BatchObject } from "./batch.ts";

const FileChange = Type.Union(
  [Type.Literal("unchanged"), Type.Literal("created"), Type.Literal("replaced"), Type.Literal("removed")],
  { description: "A file that is replaced keeps its id. `removed`: no request of its kind is left." },
);

/** One entry, in wire order, with every key always present. */
export const BatchHistoryEntry = Type.Object(
  {
    id: Type.String({ description: "For `after`. Unique within the batch." }),
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
      { description: "Which of the keys below are set goes by it." },
    ),
    message: Type.String({ description: "The same in words, for people; it may change." }),
    status: Type.Union([BatchObject.properties.status, Type.Null()], {
      description: "Of `status`: what the batch became then.",
    }),
    requested_by: Type.Union([Type.String(), Type.Null()], {
      description: "Of `retry_requested`: the id of an API key, or `admin` for a retry in the dashboard.",
    }),
    requests: Type.Union(
      [
        Type.Object(
          {
            count: Type.Integer({ minimum: 1 }),
            lines: Type.Array(Type.Integer({ minimum: 1 }), {
              description: "Their numbers as `lines` of a retry has them, counted from 1; the first 100.",
            }),
          },
          { additionalProperties: false },
        ),
        Type.Null(),
      ],
      { description: "Of `retry_…`: which requests." },
    ),
    files: Type.Union(
      [Type.Object({ output: FileChange, error: FileChange }, { additionalProperties: false }), Type.Null()],
      { description: "Of `files_rebuilt`: what became of the output and the error file." },
    ),
  },
  { $id: "BatchHistoryEntry", additionalProperties: false },
);
export type BatchHistoryEntry = Static<typeof BatchHistoryEntry>;
