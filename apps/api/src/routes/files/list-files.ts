/** GET /v1/files: lists files (contract §1.1). */
import { listFiles as listFileRows } from "@nightshift/db";
import { errors, FILE_PAGE, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { isObjectId } from "../../object-id.ts";
import { presentFile } from "../../present/file.ts";
import { textParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { FindFileDeps } from "./retrieve-file.ts";

/** The query of GET /v1/files. Other keys are ignored. */
export const ListFilesQuery = Type.Object({
  purpose: Type.Optional(Type.String({ pattern: "^[\\w-]*$", description: "Only files of exactly this purpose." })),
  limit: Type.Integer({
    minimum: 1,
    maximum: FILE_PAGE.max,
    default: FILE_PAGE.default,
    description: "The maximum number of files on the page.",
  }),
  order: Type.Union([Type.Literal("asc"), Type.Literal("desc")], {
    default: "desc",
    description: "By creation time: `desc` lists the newest first.",
  }),
  after: Type.Optional(
    Type.String({ description: "The id of the last file of the previous page. The file may have been deleted since." }),
  ),
});

const parseQuery = textParser(ListFilesQuery);

/** Replies with a page of the tenant's files, the newest first by default. */
export function listFilesRoute({ db, clock }: FindFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const { purpose = null, limit, order, after = null } = parseQuery({ ...request.query });
    const page =
      after === null || isObjectId(after)
        ? await listFileRows(db, tenant, clock(), { purpose, limit, order, after })
        : null;
    if (page === null) throw errors.outOfRange("after", "it does not name a file of this list");
    response.json(listPage(page.rows.map(presentFile), page.hasMore));
  };
}
