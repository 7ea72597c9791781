/** Describes the operations on tenants for the OpenAPI document. */
import { listSchema } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { JSON_BODY_CASES, ok, type Operation } from "../../operation.ts";
import { ListTenantsQuery } from "./list-tenants.ts";
import { TenantObject } from "./present-tenant.ts";
import { SetTenantBody } from "./tenant.ts";

const shared = { tag: "Admin: tenants", extension: true, key: "admin" } as const;
const params = Type.Object({ tenant: Type.String({ description: "The name of a tenant." }) });

export const tenantOperations: readonly Operation[] = [
  {
    ...shared,
    method: "get",
    path: "/admin/v1/tenants",
    id: "listTenants",
    summary: "List tenants",
    description: "Returns a page of tenants, sorted by name. `after` is the name of a tenant, which need not exist.",
    query: ListTenantsQuery,
    replies: ok("A page of tenants.", listSchema(TenantObject, "TenantList")),
    errors: ["invalidType", "outOfRange"],
  },
  {
    ...shared,
    method: "get",
    path: "/admin/v1/tenants/{tenant}",
    id: "retrieveTenant",
    summary: "Retrieve a tenant",
    description: "Returns the tenant with its tier and its weight.",
    params,
    replies: ok("The tenant.", TenantObject),
    errors: ["tenantNotFound"],
  },
  {
    ...shared,
    method: "post",
    path: "/admin/v1/tenants/{tenant}",
    id: "setTenant",
    summary: "Set the tier and weight of a tenant",
    description:
      "Sets the fields in the body and leaves the others unchanged. A new tier takes effect within 5 seconds. Running batches continue.",
    params,
    body: {
      mediaType: "application/json",
      schema: SetTenantBody,
      isRequired: false,
      example: { tier: "free", weight: 2 },
    },
    replies: ok("The tenant.", TenantObject),
    errors: [...JSON_BODY_CASES, "invalidType", "invalidValue", "outOfRange", "unknownParameter", "tenantNotFound"],
  },
];
