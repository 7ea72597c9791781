/** `nightshift admin webhooks`: where a tenant is told that its batches have ended. */
import { field, table, time } from "../../admin/table.ts";
import type { ServerDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, runAdmin, segment, tableOr } from "./run-admin.ts";

const COLUMNS = [
  field("ID", "id"),
  field("TENANT", "tenant"),
  field("URL", "url"),
  field("EVENTS", "events"),
  time("CREATED", "created_at"),
];

export interface CreateWebhookOptions extends AdminOptions {
  readonly tenant: string;
  readonly url: string;
  /** Left out: all events. */
  readonly event?: readonly string[];
}

/** Shows the secret that deliveries are signed with, this once. */
export function createWebhook(
  { tenant, url, event, ...options }: CreateWebhookOptions,
  deps: ServerDeps,
): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("POST", "/webhooks", { tenant, url, ...(event === undefined ? {} : { events: event }) });
    return {
      json,
      lines: [...table(COLUMNS, [json]), "", `Signing secret, shown this once: ${String(json["secret"])}`],
    };
  });
}

export function listWebhooks(options: AdminOptions & { readonly tenant?: string }, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const { json, rows } = await listAll(call, "/webhooks", { tenant: options.tenant });
    return { json, lines: tableOr(COLUMNS, rows, "No webhooks.") };
  });
}

export function deleteWebhook(id: string, options: AdminOptions, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("DELETE", `/webhooks/${segment(id)}`);
    return { json, lines: [`${id} is deleted.`] };
  });
}

/** Has the server send a test event, and shows what it says of it. */
export function testWebhook(id: string, options: AdminOptions, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("POST", `/webhooks/${segment(id)}/test`);
    const facts = Object.entries(json).map(([name, value]) => field(name.toUpperCase(), name)[1]({ [name]: value }));
    const names = Object.keys(json);
    const width = Math.max(0, ...names.map((name) => name.length));
    return { json, lines: names.map((name, index) => `${name.padEnd(width)}  ${facts[index] ?? ""}`) };
  });
}
