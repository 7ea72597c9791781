/** `nightshift admin tenants`: who there is, in which tier, with which share. */
import { field, table, time } from "../../admin/table.ts";
import type { ServerDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, runAdmin, segment, tableOr } from "./run-admin.ts";

const COLUMNS = [
  field("TENANT", "id"),
  ["TIER", (row: Readonly<Record<string, unknown>>) => (typeof row["tier"] === "string" ? row["tier"] : "default")],
  field("WEIGHT", "weight"),
  time("CREATED", "created_at"),
] as const;

export function listTenants(options: AdminOptions, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const { json, rows } = await listAll(call, "/tenants", {});
    return { json, lines: tableOr(COLUMNS, rows, "No tenants: one is made with its first key.") };
  });
}

export interface SetTenantOptions extends AdminOptions {
  readonly tier?: string;
  readonly weight?: number;
}

/** Sets what was given, leaves the rest, and shows the tenant as it is then. */
export function setTenant(id: string, options: SetTenantOptions, deps: ServerDeps): Promise<void> {
  const { tier, weight } = options;
  return runAdmin(options, deps, async (call) => {
    const change = { ...(tier === undefined ? {} : { tier }), ...(weight === undefined ? {} : { weight }) };
    const json = await call("POST", `/tenants/${segment(id)}`, change);
    return { json, lines: table(COLUMNS, [json]) };
  });
}
