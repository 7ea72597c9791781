/** The query of the admin API's lists: pages as those of GET /v1/batches (contract §1.3). */
import { BATCH_PAGE } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";

/** TypeBox properties: `limit` 1 to 100, 20 unless told; `after`, exclusive, the id of the page's predecessor. */
export const ADMIN_PAGE = {
  limit: Type.Integer({
    minimum: 1,
    maximum: BATCH_PAGE.max,
    default: BATCH_PAGE.default,
    description: "The most entries that the page may have.",
  }),
  after: Type.Optional(Type.String({ description: "The id of the last entry of the page before." })),
} as const;
