/** `nightshift admin keys`: API keys are made, listed and revoked. */
import { field, table, time } from "../../admin/table.ts";
import type { ServerDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, runAdmin, segment, tableOr } from "./run-admin.ts";

const COLUMNS = [
  field("ID", "id"),
  field("TENANT", "tenant"),
  field("NAME", "name"),
  field("BEGINS WITH", "hint"),
  time("CREATED", "created_at"),
  time("REVOKED", "revoked_at"),
];

export interface CreateKeyOptions extends AdminOptions {
  readonly tenant: string;
  readonly name?: string;
}

/** Shows the new key, this once. */
export function createKey({ tenant, name, ...options }: CreateKeyOptions, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("POST", "/keys", { tenant, ...(name === undefined ? {} : { name }) });
    const lines = [...table(COLUMNS, [json]), "", `API key, shown this once: ${String(json["key"])}`];
    return { json, lines };
  });
}

/** All keys, or those of one tenant, the newest first. */
export function listKeys(options: AdminOptions & { readonly tenant?: string }, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const { json, rows } = await listAll(call, "/keys", { tenant: options.tenant });
    return { json, lines: tableOr(COLUMNS, rows, "No keys.") };
  });
}

export function revokeKey(id: string, options: AdminOptions, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("DELETE", `/keys/${segment(id)}`);
    return { json, lines: [`${id} is revoked; other API processes take it for at most 5 s longer.`] };
  });
}
