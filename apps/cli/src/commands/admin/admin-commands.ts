/** The commands of `nightshift admin` and their options. Loads the code of a command only when it runs. */
import { type Command, InvalidArgumentError } from "commander";
import { httpUrl } from "../../arguments.ts";
import type { CommandDeps } from "../../server/server.ts";
import type { CreateKeyOptions } from "./keys.ts";
import type { AdminOptions } from "./run-admin.ts";
import type { SetTenantOptions } from "./tenants.ts";
import type { CreateWebhookOptions } from "./webhooks.ts";

/** Runs the action of a command in a process that shuts down cleanly. */
export type RunCommand = (action: (deps: CommandDeps) => Promise<void>) => void;

/** Adds all commands to `admin`. */
export function addAdminCommands(admin: Command, run: RunCommand): void {
  addKeys(admin.command("keys").description("create, list and revoke API keys"), run);
  addTenants(admin.command("tenants").description("list tenants, and set their tier and weight"), run);
  addWebhooks(
    admin.command("webhooks").description("create, list, test and delete webhooks, and list deliveries"),
    run,
  );
}

function addKeys(keys: Command, run: RunCommand): void {
  addSharedOptions(
    keys
      .command("create")
      .description("create an API key, and the tenant if it does not exist; the key is shown only once"),
  )
    .requiredOption("--tenant <name>", "tenant of the key")
    .option("--name <text>", "name of the key in lists")
    .action(async (options: CreateKeyOptions) => {
      const { createKey } = await import("./keys.ts");
      run((deps) => createKey(options, deps));
    });
  addSharedOptions(keys.command("list").description("list keys, including revoked ones, without their secrets"))
    .option("--tenant <name>", "only for this tenant")
    .action(async (options: AdminOptions & { tenant?: string }) => {
      const { listKeys } = await import("./keys.ts");
      run((deps) => listKeys(options, deps));
    });
  addSharedOptions(
    keys.command("revoke").description("revoke a key permanently").argument("<id>", "id of the key, key_..."),
  ).action(async (id: string, options: AdminOptions) => {
    const { revokeKey } = await import("./keys.ts");
    run((deps) => revokeKey(id, options, deps));
  });
}

function addTenants(tenants: Command, run: RunCommand): void {
  addSharedOptions(tenants.command("list").description("list tenants by name")).action(
    async (options: AdminOptions) => {
      const { listTenants } = await import("./tenants.ts");
      run((deps) => listTenants(options, deps));
    },
  );
  addSharedOptions(
    tenants
      .command("set")
      .description("set the given options of a tenant, and keep the others")
      .argument("<tenant>", "name of the tenant"),
  )
    .option("--tier <name>", "a tier of NIGHTSHIFT_CONFIG, or default")
    .option("--weight <number>", "share of each upstream relative to other tenants, 0.01 to 1000", parseWeight)
    .action(async (tenant: string, options: SetTenantOptions) => {
      const { setTenant } = await import("./tenants.ts");
      run((deps) => setTenant(tenant, options, deps));
    });
}

function addWebhooks(webhooks: Command, run: RunCommand): void {
  addSharedOptions(webhooks.command("create").description("send a tenant's batch events to a URL"))
    .requiredOption("--tenant <name>", "tenant whose events are sent")
    .requiredOption("--url <url>", "URL that receives the events", httpUrl)
    .option("--event <type...>", "only these events, such as batch.completed (default: all)")
    .action(async (options: CreateWebhookOptions) => {
      const { createWebhook } = await import("./webhooks.ts");
      run((deps) => createWebhook(options, deps));
    });
  addSharedOptions(webhooks.command("list").description("list webhooks"))
    .option("--tenant <name>", "only for this tenant")
    .action(async (options: AdminOptions & { tenant?: string }) => {
      const { listWebhooks } = await import("./webhooks.ts");
      run((deps) => listWebhooks(options, deps));
    });
  addSharedOptions(
    webhooks
      .command("deliveries")
      .description("list the deliveries of the newest events")
      .argument("<id>", "id of the webhook, we_..."),
  ).action(async (id: string, options: AdminOptions) => {
    const { listDeliveries } = await import("./webhooks.ts");
    run((deps) => listDeliveries(id, options, deps));
  });
  addSharedOptions(
    webhooks.command("delete").description("delete a webhook").argument("<id>", "id of the webhook, we_..."),
  ).action(async (id: string, options: AdminOptions) => {
    const { deleteWebhook } = await import("./webhooks.ts");
    run((deps) => deleteWebhook(id, options, deps));
  });
  addSharedOptions(
    webhooks.command("test").description("send a test event").argument("<id>", "id of the webhook, we_..."),
  ).action(async (id: string, options: AdminOptions) => {
    const { testWebhook } = await import("./webhooks.ts");
    run((deps) => testWebhook(id, options, deps));
  });
}

/** Adds the options that every admin command has. */
function addSharedOptions(command: Command): Command {
  return command
    .option("--server <url>", "server to use (default: the local server for the data folder)", httpUrl)
    .option("--admin-key <key>", "admin key of the server (default: NIGHTSHIFT_ADMIN_KEY, or this machine's own)")
    .option("--json", "print the API's JSON");
}

function parseWeight(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0.01 && value <= 1_000)) {
    throw new InvalidArgumentError("It must be a number from 0.01 to 1000.");
  }
  return value;
}
