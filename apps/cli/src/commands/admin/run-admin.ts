/** The code that all admin commands share. Each command makes a few calls, prints the result, and ends the process. */
import { type AdminCall, type AdminChoice, openAdminApi } from "../../admin/admin-client.ts";
import { type AdminObject, type Column, objectTable } from "../../admin/admin-table.ts";
import type { CommandDeps } from "../../server/server.ts";

export interface AdminOptions extends AdminChoice {
  /** Prints the API's JSON instead of a table. */
  readonly json?: boolean;
}

/** The result of a command: the API's JSON, and the same data as lines of text. */
interface CommandResult {
  readonly json: AdminObject;
  readonly lines: readonly string[];
}

/** Runs the command against the chosen server, prints its result on standard output, and ends the process. */
export async function runAdmin(
  options: AdminOptions,
  deps: CommandDeps,
  command: (call: AdminCall) => Promise<CommandResult>,
): Promise<void> {
  const { json, lines } = await command(await openAdminApi(options, deps));
  const text = options.json === true ? JSON.stringify(json, null, 2) : lines.join("\n");
  process.stdout.write(`${text}\n`);
  deps.life.stop("the command has ended", 0);
}

/** Reads all pages of a list and joins them into one. */
export async function listAll(
  call: AdminCall,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<{ json: AdminObject; rows: AdminObject[] }> {
  const rows: AdminObject[] = [];
  for (let after: string | undefined; ;) {
    const parameters = { limit: "100", ...query, after };
    const known = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const page = await call("GET", `${path}?${new URLSearchParams(known).toString()}`);
    rows.push(...(page["data"] as AdminObject[]));
    const last = rows.at(-1)?.["id"];
    if (page["has_more"] !== true || typeof last !== "string") {
      return { json: { ...page, data: rows, first_id: rows[0]?.["id"] ?? null, last_id: last ?? null }, rows };
    }
    after = last;
  }
}

/** Returns a table, or the text `none` if there are no rows. */
export function tableOr(columns: readonly Column[], rows: readonly AdminObject[], none: string): string[] {
  return rows.length === 0 ? [none] : objectTable(columns, rows);
}

/** Escapes an id for use in a path. */
export const pathSegment = (id: string): string => encodeURIComponent(id);
