/** GET and POST /admin/v1/tenants/{tenant}: reads and sets the tier and the weight of a tenant. */
import { type Db, findTenant, setTenant } from "@nightshift/db";
import { errors, type Tiers } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { readJsonBody } from "../../json-body.ts";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { bodyParser } from "../../request-schema.ts";
import { presentTenant } from "./present-tenant.ts";

/** Body of POST /admin/v1/tenants/{tenant}. */
export const SetTenantBody = Type.Object(
  {
    tier: Type.Optional(
      Type.Union([Type.String(), Type.Null()], { description: "One of the configured tiers. Null means `default`." }),
    ),
    weight: Type.Optional(
      Type.Number({
        minimum: 0.01,
        maximum: 1_000,
        description: "Share of an upstream's capacity relative to other tenants.",
      }),
    ),
  },
  { $id: "SetTenantRequest", additionalProperties: false },
);

const parseBody = bodyParser(SetTenantBody);

/** Sends the tenant, or 404 if no key was ever created for it. */
export function retrieveTenantRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "tenant");
    const tenant = isObjectId(id) ? await findTenant(db, id) : null;
    if (tenant === null) throw errors.tenantNotFound(id);
    response.json(presentTenant(tenant));
  };
}

/** Sets the fields in the body. New requests and batches get the new tier within 5 s. Running batches continue. */
export function setTenantRoute({ db, tiers }: { readonly db: Db; readonly tiers: Tiers }): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "tenant");
    const { tier, weight } = parseBody(await readJsonBody(request, response));
    if (typeof tier === "string" && !tiers.names.includes(tier)) throw errors.invalidValue("tier", tier, tiers.names);
    const change = { ...(tier === undefined ? {} : { tier }), ...(weight === undefined ? {} : { weight }) };
    const tenant = isObjectId(id) ? await setTenant(db, id, change) : null;
    if (tenant === null) throw errors.tenantNotFound(id);
    response.json(presentTenant(tenant));
  };
}
