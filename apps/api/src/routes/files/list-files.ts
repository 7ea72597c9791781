/** GET /v1/files: contract §1.1. */
import { listFiles as listFileRows } from "@nightshift/db";
import { errors, FILE_PAGE, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { isObjectId } from "../../object-id.ts";
import { presentFile } from "../../present/file.ts";
import { textParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { FindFileDeps } from "./retrieve-file.ts";

const parseQuery = textParser(
  Type.Object({
    purpose: Type.Optional(Type.String({ pattern: "^[\\w-]*$" })),
    limit: Type.Integer({ minimum: 1, maximum: FILE_PAGE.max, default: FILE_PAGE.default }),
    order: Type.Union([Type.Literal("asc"), Type.Literal("desc")], { default: "desc" }),
    after: Type.Optional(Type.String()),
  }),
);

/** Answers with a page of the tenant's files, the newest first unless asked otherwise. */
export function listFiles({ db, clock }: FindFileDeps): TenantHandler {
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
