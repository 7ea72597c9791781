/** The commands below `nightshift admin`: their words and options. What they do is loaded when one of them runs. */
import { type Command, InvalidArgumentError } from "commander";
import { httpUrl } from "../../arguments.ts";
import type { ServerDeps } from "../../server/server.ts";
import type { CreateKeyOptions } from "./keys.ts";
import type { AdminOptions } from "./run-admin.ts";
import type { SetTenantOptions } from "./tenants.ts";
import type { CreateWebhookOptions } from "./webhooks.ts";

/** Runs what a command does as a process that stops in order. */
export type RunCommand = (action: (deps: ServerDeps) => Promise<void>) => void;

/** Adds all commands to `admin`. */
export function addAdminCommands(admin: Command, run: RunCommand): void {
  addKeys(admin.command("keys").description("API keys: make, list, revoke"), run);
  addTenants(admin.command("tenants").description("tenants: list them, set tier and weight"), run);
  addWebhooks(admin.command("webhooks").description("webhooks: make, list, test, look at deliveries, delete"), run);
}

function addKeys(keys: Command, run: RunCommand): void {
  shared(keys.command("create").description("make an API key, and with its first key the tenant; shown this once"))
    .requiredOption("--tenant <name>", "whose key it is")
    .option("--name <text>", "what to call it in lists")
    .action(async (options: CreateKeyOptions) => {
      const { createKey } = await import("./keys.ts");
      run((deps) => createKey(options, deps));
    });
  shared(keys.command("list").description("list keys, revoked ones among them; never the keys themselves"))
    .option("--tenant <name>", "of this tenant only")
    .action(async (options: AdminOptions & { tenant?: string }) => {
      const { listKeys } = await import("./keys.ts");
      run((deps) => listKeys(options, deps));
    });
  shared(
    keys.command("revoke").description("take a key out of use, for good").argument("<id>", "its id, key_..."),
  ).action(async (id: string, options: AdminOptions) => {
    const { revokeKey } = await import("./keys.ts");
    run((deps) => revokeKey(id, options, deps));
  });
}

function addTenants(tenants: Command, run: RunCommand): void {
  shared(tenants.command("list").description("list tenants by name")).action(async (options: AdminOptions) => {
    const { listTenants } = await import("./tenants.ts");
    run((deps) => listTenants(options, deps));
  });
  shared(tenants.command("set").description("set what is given, and leave the rest").argument("<tenant>", "its name"))
    .option("--tier <name>", "a tier of NIGHTSHIFT_CONFIG, or default")
    .option("--weight <number>", "share of an upstream against other tenants, 0.01 to 1000", weight)
    .action(async (tenant: string, options: SetTenantOptions) => {
      const { setTenant } = await import("./tenants.ts");
      run((deps) => setTenant(tenant, options, deps));
    });
}

function addWebhooks(webhooks: Command, run: RunCommand): void {
  shared(webhooks.command("create").description("have a tenant's batch events sent to a URL"))
    .requiredOption("--tenant <name>", "whose events")
    .requiredOption("--url <url>", "where they are posted", httpUrl)
    .option("--event <type...>", "only these events, such as batch.completed (default: all)")
    .action(async (options: CreateWebhookOptions) => {
      const { createWebhook } = await import("./webhooks.ts");
      run((deps) => createWebhook(options, deps));
    });
  shared(webhooks.command("list").description("list webhooks"))
    .option("--tenant <name>", "of this tenant only")
    .action(async (options: AdminOptions & { tenant?: string }) => {
      const { listWebhooks } = await import("./webhooks.ts");
      run((deps) => listWebhooks(options, deps));
    });
  shared(
    webhooks
      .command("deliveries")
      .description("list what became of its newest events")
      .argument("<id>", "its id, we_..."),
  ).action(async (id: string, options: AdminOptions) => {
    const { listDeliveries } = await import("./webhooks.ts");
    run((deps) => listDeliveries(id, options, deps));
  });
  shared(webhooks.command("delete").description("send nothing there any more").argument("<id>", "its id")).action(
    async (id: string, options: AdminOptions) => {
      const { deleteWebhook } = await import("./webhooks.ts");
      run((deps) => deleteWebhook(id, options, deps));
    },
  );
  shared(webhooks.command("test").description("send a test event").argument("<id>", "its id")).action(
    async (id: string, options: AdminOptions) => {
      const { testWebhook } = await import("./webhooks.ts");
      run((deps) => testWebhook(id, options, deps));
    },
  );
}

/** What every admin command takes. */
function shared(command: Command): Command {
  return command
    .option("--server <url>", "server to use (default: the one that runs on this machine's data folder)", httpUrl)
    .option("--admin-key <key>", "its admin key (default: NIGHTSHIFT_ADMIN_KEY, else this machine's own)")
    .option("--json", "print the API's JSON");
}

function weight(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0.01 && value <= 1_000)) {
    throw new InvalidArgumentError("It is no number from 0.01 to 1000.");
  }
  return value;
}
