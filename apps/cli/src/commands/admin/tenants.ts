/** `nightshift admin tenants`: lists tenants, and sets their tier and weight. */
import { type AdminObject, field, objectTable, time } from "../../admin/admin-table.ts";
import type { CommandDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, runAdmin, pathSegment, tableOr } from "./run-admin.ts";

const COLUMNS = [
  field("TENANT", "id"),
  ["TIER", (tenant: AdminObject) => (typeof tenant["tier"] === "string" ? tenant["tier"] : "default")],
  field("WEIGHT", "weight"),
  time("CREATED", "created_at"),
] as const;

export function listTenants(options: AdminOptions, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const { json, rows } = await listAll(call, "/tenants", {});
    return { json, lines: tableOr(COLUMNS, rows, "No tenants. Nightshift creates a tenant with its first key.") };
  });
}

export interface SetTenantOptions extends AdminOptions {
  readonly tier?: string;
  readonly weight?: number;
}

/** Sets the given fields, keeps the others, and shows the tenant afterwards. */
export function setTenant(id: string, options: SetTenantOptions, deps: CommandDeps): Promise<void> {
  const { tier, weight } = options;
  return runAdmin(options, deps, async (call) => {
    const change = { ...(tier === undefined ? {} : { tier }), ...(weight === undefined ? {} : { weight }) };
    const json = await call("POST", `/tenants/${pathSegment(id)}`, change);
    return { json, lines: objectTable(COLUMNS, [json]) };
  });
}
