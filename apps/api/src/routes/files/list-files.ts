/** GET /v1/files: contract §1.1. */
import { listFiles as listFileRows } from "@nightshift/db";
import { errors, FILE_PAGE, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { isObjectId } from "../../object-id.ts";
import { presentFile } from "../../present/file.ts";
import { textParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { FindFileDeps } from "./retrieve-file.ts";

/** The query of GET /v1/files. Other keys are passed over. */
export const ListFilesQuery = Type.Object({
  purpose: Type.Optional(Type.String({ pattern: "^[\\w-]*$", description: "Only files of exactly this purpose." })),
  limit: Type.Integer({
    minimum: 1,
    maximum: FILE_PAGE.max,
    default: FILE_PAGE.default,
    description: "The most files that the page may have.",
  }),
  order: Type.Union([Type.Literal("asc"), Type.Literal("desc")], {
    default: "desc",
    description: "By creation: `desc` has the newest first.",
  }),
  after: Type.Optional(
    Type.String({ description: "The id of the last file of the page before; a file deleted meanwhile will do." }),
  ),
});

const parseQuery = textParser(ListFilesQuery);

/** Answers with a page of the tenant's files, the newest first unless asked otherwise. */
export function listFilesRoute({ db, clock }: FindFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const { purpose = null, limit, order, after = null } = parseQuery({ ...request.query });
    const page =
      after === null || isObjectId(after)
        ? await listFileRows(db, tenant, clock(), { purpose, limit, order, after })
        : null;
    if (page === null) throw errors.outOfRange("after", "it names no file of this list");
    response.json(listPage(page.rows.map(presentFile), page.hasMore));
  };
}
