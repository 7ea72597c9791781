/**
 * A page of GET /v1/batches/{batch_id}/results: our own extension, docs/extensions.md. Lines follow contract §4.3 and
 * §4.4.
 */
import { Type } from "@sinclair/typebox";
import { LINE_ERROR_CODES } from "../result-line.ts";
import { nullable } from "./shared-schemas.ts";

/** A line of an output or error file. `response` has the HTTP reply of any status; without one, `error` says why. */
const BatchResult = Type.Object(
  {
    id: Type.String(),
    custom_id: Type.String(),
    response: nullable(
      Type.Object({
        status_code: Type.Integer(),
        request_id: Type.String(),
        body: Type.Unknown({ description: "The upstream's JSON, unchanged." }),
      }),
    ),
    error: nullable(
      Type.Object({
        code: Type.Union(LINE_ERROR_CODES.map((code) => Type.Literal(code))),
        message: Type.String(),
      }),
    ),
  },
  { $id: "BatchResult", additionalProperties: false },
);

/** The page. Its lines have no ids to use as cursors, so `next_cursor` takes their place. */
export const ResultPageObject = Type.Object(
  {
    object: Type.Literal("list"),
    data: Type.Array(BatchResult),
    has_more: Type.Boolean({ description: "True if more lines exist or can still arrive." }),
    next_cursor: Type.String({ description: "The `after` of the next request. Set even if this page has no lines." }),
  },
  { $id: "BatchResultList", additionalProperties: false },
);
