/** `nightshift admin keys`: creates, lists and revokes API keys. */
import { field, objectTable, time } from "../../admin/admin-table.ts";
import type { CommandDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, runAdmin, pathSegment, tableOr } from "./run-admin.ts";

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

/** Shows the new key. It cannot be shown again. */
export function createKey({ tenant, name, ...options }: CreateKeyOptions, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("POST", "/keys", { tenant, ...(name === undefined ? {} : { name }) });
    const lines = [...objectTable(COLUMNS, [json]), "", `API key, shown this once: ${String(json["key"])}`];
    return { json, lines };
  });
}

/** Lists all keys, or the keys of one tenant, newest first. */
export function listKeys(options: AdminOptions & { readonly tenant?: string }, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const { json, rows } = await listAll(call, "/keys", { tenant: options.tenant });
    return { json, lines: tableOr(COLUMNS, rows, "No keys.") };
  });
}

export function revokeKey(id: string, options: AdminOptions, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("DELETE", `/keys/${pathSegment(id)}`);
    return { json, lines: [`${id} is revoked. Other API processes accept it for at most 5 s longer.`] };
  });
}
