/** What an event of GET /v1/batches/{batch_id}/events says: ours, docs/extensions.md. */
import { Type, type Static } from "@sinclair/typebox";
import { BatchObject } from "./batch.ts";

/** The `data` of an event, in wire order, with every key always present: the whole state, never a difference. */
export const ProgressEvent = Type.Object(
  {
    object: Type.Literal("batch.progress"),
    batch_id: Type.String(),
    status: BatchObject.properties.status,
    request_counts: BatchObject.properties.request_counts,
    lines_per_second: Type.Number({
      minimum: 0,
      description: "Over the last 10 s, to one decimal; at the first look over the whole run.",
    }),
    eta_seconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: "Seconds until the last line is done, at this speed; null where that cannot be said.",
    }),
    waiting: Type.Union([Type.String(), Type.Null()], {
      description: "Why nothing is sent at the moment, in words; null: something is, or there is nothing to send.",
    }),
  },
  { $id: "BatchProgress", additionalProperties: false },
);
export type ProgressEvent = Static<typeof ProgressEvent>;
