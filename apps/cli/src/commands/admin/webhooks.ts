/** `nightshift admin webhooks`: where a tenant is told that its batches have ended. */
import { field, table, time } from "../../admin/table.ts";
import type { ServerDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, type Row, runAdmin, segment, tableOr } from "./run-admin.ts";

const COLUMNS = [
  field("ID", "id"),
  field("TENANT", "tenant"),
  field("URL", "url"),
  field("EVENTS", "events"),
  time("CREATED", "created_at"),
];

const DELIVERY_COLUMNS = [
  field("EVENT", "type"),
  field("BATCH", "batch"),
  field("STATE", "state"),
  field("ATTEMPTS", "attempts"),
  field("STATUS", "last_status"),
  field("ERROR", "last_error"),
  time("CREATED", "created_at"),
  time("NEXT ATTEMPT", "next_attempt_at"),
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

/** What became of the newest 100 events for the endpoint, the newest first. */
export function listDeliveries(id: string, options: AdminOptions, deps: ServerDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("GET", `/webhooks/${segment(id)}/deliveries`);
    return { json, lines: tableOr(DELIVERY_COLUMNS, json["data"] as Row[], "No deliveries.") };
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
    const names = Object.keys(json).filter((name) => name !== "object");
    const width = Math.max(0, ...names.map((name) => name.length));
    return { json, lines: names.map((name) => `${name.padEnd(width)}  ${field(name, name)[1](json)}`) };
  });
}
