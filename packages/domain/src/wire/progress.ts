/** The events of GET /v1/batches/{batch_id}/events: our own extension, docs/extensions.md. */
import { Type, type Static } from "@sinclair/typebox";
import { BatchObject } from "./batch.ts";

/**
 * The `data` of an event in wire order. It is always the whole state, never a difference. Every key is always present.
 */
export const ProgressEvent = Type.Object(
  {
    object: Type.Literal("batch.progress"),
    batch_id: Type.String(),
    status: BatchObject.properties.status,
    request_counts: BatchObject.properties.request_counts,
    lines_per_second: Type.Number({
      minimum: 0,
      description: "Average of the last 10 s, to one decimal. In the first event, the average of the whole run.",
    }),
    eta_seconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: "Seconds until the last line is done at this speed, null if unknown.",
    }),
    waiting: Type.Union([Type.String(), Type.Null()], {
      description: "Why no request is being sent, in words. Null if requests are being sent or none are left.",
    }),
  },
  { $id: "BatchProgress", additionalProperties: false },
);
export type ProgressEvent = Static<typeof ProgressEvent>;
