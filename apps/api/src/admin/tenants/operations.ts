/** The admin API's operations of tenants, as the API's description has them. */
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
    description: "A page of tenants, by name. `after` is a name, whether or not a tenant has it.",
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
    description: "The tenant's tier and its share of an upstream.",
    params,
    replies: ok("The tenant.", TenantObject),
    errors: ["tenantNotFound"],
  },
  {
    ...shared,
    method: "post",
    path: "/admin/v1/tenants/{tenant}",
    id: "setTenant",
    summary: "Set a tenant's tier and share",
    description: "Sets what the body names, and leaves the rest. A new tier holds within 5 s; batches that run go on.",
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
