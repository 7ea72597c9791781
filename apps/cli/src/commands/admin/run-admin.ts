/** What all admin commands have in common: they make a few calls, print, and end. */
import { type AdminCall, type AdminChoice, openAdminApi } from "../../admin/admin-client.ts";
import { type Column, table } from "../../admin/table.ts";
import type { ServerDeps } from "../../server/server.ts";

export interface AdminOptions extends AdminChoice {
  /** Print what the API answered, as JSON. */
  readonly json?: boolean;
}

/** An object of the admin API. */
export type Row = Readonly<Record<string, unknown>>;

/** What a command has to say: the API's answer, and the same for people. */
export interface Answer {
  readonly json: Row;
  readonly lines: readonly string[];
}

/** Runs the command against the chosen server, prints its answer on standard output, and ends the process. */
export async function runAdmin(
  options: AdminOptions,
  deps: ServerDeps,
  command: (call: AdminCall) => Promise<Answer>,
): Promise<void> {
  const { json, lines } = await command(await openAdminApi(options, deps));
  const text = options.json === true ? JSON.stringify(json, null, 2) : lines.join("\n");
  process.stdout.write(`${text}\n`);
  deps.life.stop("the command has ended", 0);
}

/** All of a list, page by page, as one list: what a person asks for with `list`. */
export async function listAll(
  call: AdminCall,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<{ json: Row; rows: Row[] }> {
  const rows: Row[] = [];
  for (let after: string | undefined; ;) {
    const asked = { limit: "100", ...query, after };
    const known = Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const page = await call("GET", `${path}?${new URLSearchParams(known).toString()}`);
    rows.push(...(page["data"] as Row[]));
    const last = rows.at(-1)?.["id"];
    if (page["has_more"] !== true || typeof last !== "string") {
      return { json: { ...page, data: rows, first_id: rows[0]?.["id"] ?? null, last_id: last ?? null }, rows };
    }
    after = last;
  }
}

/** A table, or a word on why there is none. */
export function tableOr(columns: readonly Column[], rows: readonly Row[], none: string): string[] {
  return rows.length === 0 ? [none] : table(columns, rows);
}

/** Part of a path. */
export const segment = (id: string): string => encodeURIComponent(id);
