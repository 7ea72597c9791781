/** The query parameters of the lists of the admin API, which have pages like GET /v1/batches (contract §1.3). */
import { BATCH_PAGE } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";

/** TypeBox properties: `limit` is 1 to 100, by default 20. The page begins after the entry whose id is `after`. */
export const ADMIN_PAGE = {
  limit: Type.Integer({
    minimum: 1,
    maximum: BATCH_PAGE.max,
    default: BATCH_PAGE.default,
    description: "The maximum number of entries on the page.",
  }),
  after: Type.Optional(Type.String({ description: "The id of the last entry of the previous page." })),
} as const;
