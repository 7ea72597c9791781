/** A page of GET /v1/batches/{batch_id}/results: ours, docs/extensions.md. Its lines are those of contract §4.3 and §4.4. */
import { Type } from "@sinclair/typebox";
import { LINE_ERROR_CODES } from "../result-line.ts";
import { nullable } from "./shared-schemas.ts";

/** A line of an output or error file. An HTTP reply stands in `response`, whatever its status; else `error` says why there is none. */
const BatchResult = Type.Object(
  {
    id: Type.String(),
    custom_id: Type.String(),
    response: nullable(
      Type.Object({
        status_code: Type.Integer(),
        request_id: Type.String(),
        body: Type.Unknown({ description: "The upstream's JSON as it came." }),
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

/** The page, whose lines have no ids to page by: `next_cursor` takes their place. */
export const ResultPageObject = Type.Object(
  {
    object: Type.Literal("list"),
    data: Type.Array(BatchResult),
    has_more: Type.Boolean({ description: "Lines are there, or can still come." }),
    next_cursor: Type.String({ description: "For `after` of the next request, also where this page has no lines." }),
  },
  { $id: "BatchResultList", additionalProperties: false },
);
