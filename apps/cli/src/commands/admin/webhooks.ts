/** `nightshift admin webhooks`: manages the endpoints that are notified when a tenant's batches end. */
import { type AdminObject, field, fieldList, objectTable, time } from "../../admin/admin-table.ts";
import type { CommandDeps } from "../../server/server.ts";
import { type AdminOptions, listAll, runAdmin, pathSegment, tableOr } from "./run-admin.ts";

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
  /** Undefined means all events. */
  readonly event?: readonly string[];
}

/** Shows the secret that signs the deliveries. It cannot be shown again. */
export function createWebhook(
  { tenant, url, event, ...options }: CreateWebhookOptions,
  deps: CommandDeps,
): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("POST", "/webhooks", { tenant, url, ...(event === undefined ? {} : { events: event }) });
    return {
      json,
      lines: [...objectTable(COLUMNS, [json]), "", `Signing secret, shown this once: ${String(json["secret"])}`],
    };
  });
}

export function listWebhooks(options: AdminOptions & { readonly tenant?: string }, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const { json, rows } = await listAll(call, "/webhooks", { tenant: options.tenant });
    return { json, lines: tableOr(COLUMNS, rows, "No webhooks.") };
  });
}

/** Lists the deliveries of the newest 100 events for the endpoint, newest first. */
export function listDeliveries(id: string, options: AdminOptions, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("GET", `/webhooks/${pathSegment(id)}/deliveries`);
    return { json, lines: tableOr(DELIVERY_COLUMNS, json["data"] as AdminObject[], "No deliveries.") };
  });
}

export function deleteWebhook(id: string, options: AdminOptions, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("DELETE", `/webhooks/${pathSegment(id)}`);
    return { json, lines: [`${id} is deleted.`] };
  });
}

/** Makes the server send a test event, and shows the result. */
export function testWebhook(id: string, options: AdminOptions, deps: CommandDeps): Promise<void> {
  return runAdmin(options, deps, async (call) => {
    const json = await call("POST", `/webhooks/${pathSegment(id)}/test`);
    return { json, lines: fieldList(Object.entries(json).filter(([name]) => name !== "object")) };
  });
}
