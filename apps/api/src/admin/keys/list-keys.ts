/** GET /admin/v1/keys: which keys there are, those that were revoked among them. */
import { type Db, listKeys as listKeyRows } from "@nightshift/db";
import { errors, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { isObjectId } from "../../object-id.ts";
import { textParser } from "../../request-schema.ts";
import { ADMIN_PAGE } from "../admin-page.ts";
import { presentKey } from "./present-key.ts";

/** The query of GET /admin/v1/keys. Other keys are passed over. */
export const ListKeysQuery = Type.Object({
  ...ADMIN_PAGE,
  tenant: Type.Optional(Type.String({ description: "Only keys of this tenant." })),
});

const parseQuery = textParser(ListKeysQuery);

/** Answers with a page, the newest first; of a tenant that nobody knows, with an empty one. Never a key, nor its hash. */
export function listKeysRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { limit, after = null, tenant = null } = parseQuery({ ...request.query });
    if (tenant !== null && !isObjectId(tenant)) {
      response.json(listPage([], false));
      return;
    }
    const page = after === null || isObjectId(after) ? await listKeyRows(db, { tenant, limit, after }) : null;
    if (page === null) throw errors.outOfRange("after", "it names no key of this list");
    response.json(listPage(page.rows.map(presentKey), page.hasMore));
  };
}
