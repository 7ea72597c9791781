/** `nightshift admin`: keys and tenants on a running service, webhooks against a server that takes notes. */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Command, type Ended, makeDataFolder, runCommand, startCommand } from "./command.ts";

function succeed(ended: Ended): string {
  if (ended.code !== 0) throw new Error(`It ended with ${String(ended.code)}: ${ended.stderr}`);
  return ended.stdout;
}

const json = (ended: Ended): Record<string, unknown> => JSON.parse(succeed(ended)) as Record<string, unknown>;

describe("on this machine's own service", () => {
  let dataDir: string;
  let service: Command;
  let url: string;
  const admin = (...args: string[]): Promise<Ended> => runCommand(["admin", ...args], { NIGHTSHIFT_DATA_DIR: dataDir });
  const statusOf = async (key: string): Promise<number> =>
    (await fetch(`${url}/v1/files`, { headers: { authorization: `Bearer ${key}` } })).status;

  beforeAll(async () => {
    dataDir = await makeDataFolder();
    service = startCommand(["up"], { PORT: "0", NIGHTSHIFT_DATA_DIR: dataDir });
    await service.untilSaid("or do all steps at once");
    ({ url } = JSON.parse(readFileSync(path.join(dataDir, "running.json"), "utf8")) as { url: string });
  });
  afterAll(async () => {
    service.child.kill("SIGTERM");
    await service.ended;
    await rm(path.dirname(dataDir), { recursive: true });
  });

  test("a key is made, opens the API, is listed without itself, and is revoked", async () => {
    const made = succeed(await admin("keys", "create", "--tenant", "acme", "--name", "nightly jobs"));
    const [, key = ""] = /shown this once: (\S+)/.exec(made) ?? [];
    const [id = ""] = /key_[0-9a-f]+/.exec(made) ?? [];
    expect(await statusOf(key)).toBe(200);

    const listed = succeed(await admin("keys", "list", "--tenant", "acme"));
    expect(listed).toMatch(/^ID +TENANT +NAME +BEGINS WITH +CREATED +REVOKED\n/);
    expect(listed).toContain("nightly jobs");
    expect(listed).not.toContain(key);
    const asJson = json(await admin("keys", "list", "--tenant", "acme", "--json"));
    expect(asJson).toMatchObject({ object: "list", data: [{ id, tenant: "acme", revoked_at: null }], has_more: false });

    expect(succeed(await admin("keys", "revoke", id))).toContain("is revoked");
    expect(await statusOf(key)).toBe(401);
  });

  test("a tenant's weight is set and shown", async () => {
    succeed(await admin("keys", "create", "--tenant", "heavy"));

    const set = succeed(await admin("tenants", "set", "heavy", "--tier", "default", "--weight", "2.5"));

    expect(set).toMatch(/^TENANT +TIER +WEIGHT +CREATED\nheavy +default +2\.5 /);
    expect(succeed(await admin("tenants", "list"))).toMatch(/^default +default +1 .*\nheavy +default +2\.5 /m);
  });

  test("what the API refuses is said in its words, and ends with 1", async () => {
    const name = await admin("keys", "create", "--tenant", "No Name");
    const tier = await admin("tenants", "set", "default", "--tier", "gold");
    const id = await admin("keys", "revoke", "key_unknown");
    const wrongKey = await admin("keys", "list", "--admin-key", "wrong");

    expect([name.code, tier.code, id.code, wrongKey.code]).toEqual([1, 1, 1, 1]);
    expect(name.stderr).toContain("refused: Invalid value for 'tenant': it must be 1 to 63 of the characters");
    expect(tier.stderr).toContain("Supported values are: 'default'");
    expect(id.stderr).toContain("No such API key: 'key_unknown'");
    expect(wrongKey.stderr).toContain("--admin-key");
  });
});

describe("on a server that is named", () => {
  const calls: string[] = [];
  let server: Server;
  let named: string[];
  const webhook = { id: "wh_1", tenant: "acme", url: "https://a.example/hook", events: ["batch.completed"] };
  const answers: Record<string, object> = {
    "POST /admin/v1/webhooks": { ...webhook, secret: "whsec_1" },
    "GET /admin/v1/webhooks?limit=100&tenant=acme": { object: "list", data: [webhook], has_more: true },
    "GET /admin/v1/webhooks?limit=100&tenant=acme&after=wh_1": {
      object: "list",
      data: [{ ...webhook, id: "wh_2" }],
      has_more: false,
    },
    "DELETE /admin/v1/webhooks/wh_1": { id: "wh_1", object: "webhook", deleted: true },
    "POST /admin/v1/webhooks/wh_1/test": { delivered: true, status: 204 },
  };
  const admin = (...args: string[]): Promise<Ended> => runCommand(["admin", ...args, ...named], {});

  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const call = `${request.method ?? ""} ${request.url ?? ""}`;
        calls.push(`${call} ${request.headers.authorization ?? ""} ${body}`.trim());
        response.setHeader("content-type", "application/json").end(JSON.stringify(answers[call] ?? {}));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    named = ["--server", `127.0.0.1:${String(port)}`, "--admin-key", "secret"];
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  test("webhooks are made with what was asked for, and the secret is shown once", async () => {
    const made = await admin(
      ...["webhooks", "create", "--tenant", "acme", "--url", webhook.url],
      ...["--event", "batch.completed", "--event", "batch.failed"],
    );

    expect(succeed(made)).toContain("shown this once: whsec_1");
    const body = { tenant: "acme", url: webhook.url, events: ["batch.completed", "batch.failed"] };
    expect(calls).toContain(`POST /admin/v1/webhooks Bearer secret ${JSON.stringify(body)}`);
  });

  test("lists go through all pages", async () => {
    const listed = json(await admin("webhooks", "list", "--tenant", "acme", "--json"));

    expect(listed).toMatchObject({ data: [{ id: "wh_1" }, { id: "wh_2" }], has_more: false, last_id: "wh_2" });
  });

  test("webhooks are tested and deleted", async () => {
    expect(succeed(await admin("webhooks", "test", "wh_1"))).toBe("delivered  true\nstatus     204\n");
    expect(succeed(await admin("webhooks", "delete", "wh_1"))).toBe("wh_1 is deleted.\n");
  });
});

test("without a running service, or a key for a named one, it is said what to do, and nothing is started", async () => {
  const dataDir = await makeDataFolder();

  const nobody = await runCommand(["admin", "keys", "list"], { NIGHTSHIFT_DATA_DIR: dataDir });
  const locked = await runCommand(["admin", "keys", "list", "--server", "127.0.0.1:9"], {
    NIGHTSHIFT_DATA_DIR: dataDir,
    OPENAI_API_KEY: "sk-of-a-tenant",
  });

  expect(nobody).toMatchObject({ code: 1, stdout: "" });
  expect(nobody.stderr).toContain("--server");
  expect(locked.code).toBe(1);
  expect(locked.stderr).toContain("NIGHTSHIFT_ADMIN_KEY");
});

test.each([
  ["no tenant", ["admin", "keys", "create"]],
  ["a weight that is none", ["admin", "tenants", "set", "a", "--weight", "0"]],
  ["an unknown command", ["admin", "keys", "show"]],
])("%s is wrong usage and ends with 2", async (_name, args) => {
  expect(await runCommand(args, {})).toMatchObject({ code: 2, stderr: expect.stringContaining("error:") });
});
