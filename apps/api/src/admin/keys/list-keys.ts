/** GET /admin/v1/keys: lists keys, including revoked ones. */
import { type Db, listKeys as listKeyRows } from "@nightshift/db";
import { errors, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { isObjectId } from "../../object-id.ts";
import { textParser } from "../../request-schema.ts";
import { ADMIN_PAGE } from "../admin-page.ts";
import { presentKey } from "./present-key.ts";

/** The query of GET /admin/v1/keys. Unknown parameters are ignored. */
export const ListKeysQuery = Type.Object({
  ...ADMIN_PAGE,
  tenant: Type.Optional(Type.String({ description: "Only keys of this tenant." })),
});

const parseQuery = textParser(ListKeysQuery);

/**
 * Sends a page of key records, newest first. The records contain neither the secret key nor its hash. The page of an
 * unknown tenant is empty.
 */
export function listKeysRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { limit, after = null, tenant = null } = parseQuery({ ...request.query });
    if (tenant !== null && !isObjectId(tenant)) {
      response.json(listPage([], false));
      return;
    }
    const page = after === null || isObjectId(after) ? await listKeyRows(db, { tenant, limit, after }) : null;
    if (page === null) throw errors.outOfRange("after", "it does not name a key of this list");
    response.json(listPage(page.rows.map(presentKey), page.hasMore));
  };
}
