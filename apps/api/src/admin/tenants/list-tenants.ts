/** GET /admin/v1/tenants: lists tenants. */
import { type Db, listTenants as listTenantRows } from "@nightshift/db";
import { errors, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { isObjectId } from "../../object-id.ts";
import { textParser } from "../../request-schema.ts";
import { ADMIN_PAGE } from "../admin-page.ts";
import { presentTenant } from "./present-tenant.ts";

/** The query of GET /admin/v1/tenants. Unknown parameters are ignored. */
export const ListTenantsQuery = Type.Object(ADMIN_PAGE);

const parseQuery = textParser(ListTenantsQuery);

/** Sends a page of tenants, sorted by name. `after` is a name, which need not exist. */
export function listTenantsRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { limit, after = null } = parseQuery({ ...request.query });
    if (after !== null && !isObjectId(after)) throw errors.outOfRange("after", "it must be the name of a tenant");
    const page = await listTenantRows(db, { limit, after });
    response.json(listPage(page.rows.map(presentTenant), page.hasMore));
  };
}
