/** Runs every command of `nightshift admin` against a running service, and the commands of the documentation pages. */
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testServices, until } from "@nightshift/testing";
import { fillIn, pageExample } from "@nightshift/testing/pages";
import { type Command, type Ended, makeDataFolder, runCommand, runShell, startCommand } from "./command.ts";

const TENANTS = "docs/tenants.md";
const { bash } = testServices();
const withBash = bash === null ? test.skip : test;

function succeed(ended: Ended): string {
  if (ended.code !== 0) throw new Error(`It ended with ${String(ended.code)}: ${ended.stderr}`);
  return ended.stdout;
}

const json = (ended: Ended): Record<string, unknown> => JSON.parse(succeed(ended)) as Record<string, unknown>;
const idIn = (said: string): string => /\b(?:key|we)_[0-9a-f]{16,}/.exec(said)?.[0] ?? "";
const readPageText = (page: string): string =>
  readFileSync(path.resolve(import.meta.dirname, "../../..", page), "utf8");
/** Finds `object`, `id` and `key` in `"object": "api_key", "id", "key"`: names are at the start or after a comma. */
const namesIn = (shown: string): string[] => [...shown.matchAll(/(?:^|, )"(\w+)"/g)].map(([, name = ""]) => name);

describe("on a running service", () => {
  let dataDir: string;
  let service: Command;
  let url: string;
  let adminKey: string;
  const admin = (...args: string[]): Promise<Ended> => runCommand(["admin", ...args], { NIGHTSHIFT_DATA_DIR: dataDir });
  const call = (where: string, init: RequestInit & { key?: string } = {}): Promise<Response> =>
    fetch(url + where, { ...init, headers: { authorization: `Bearer ${init.key ?? adminKey}` } });
  const statusOf = async (key: string): Promise<number> => (await call("/v1/files", { key })).status;

  beforeAll(async () => {
    dataDir = await makeDataFolder();
    const config = path.join(path.dirname(dataDir), "nightshift.yaml");
    const upstreams = "upstreams: { unconfigured: { base_url: 'http://127.0.0.1:9/v1' } }";
    await writeFile(config, `${upstreams}\n${pageExample(TENANTS, "Tiers", "yaml")}`);
    service = startCommand(["up"], {
      PORT: "0",
      NIGHTSHIFT_DATA_DIR: dataDir,
      NIGHTSHIFT_CONFIG: config,
      NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: "true",
    });
    await service.untilSaid("or do all steps at once");
    ({ url } = JSON.parse(readFileSync(path.join(dataDir, "running.json"), "utf8")) as { url: string });
    adminKey = readFileSync(path.join(dataDir, "admin-key"), "utf8").trim();
  });
  afterAll(async () => {
    service.child.kill("SIGTERM");
    await service.ended;
    await rm(path.dirname(dataDir), { recursive: true });
  });

  test("creates a key that works, lists it without its secret, and revokes it", async () => {
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

  test("sets and shows a tenant's weight", async () => {
    succeed(await admin("keys", "create", "--tenant", "heavy"));

    const set = succeed(await admin("tenants", "set", "heavy", "--tier", "default", "--weight", "2.5"));

    expect(set).toMatch(/^TENANT +TIER +WEIGHT +CREATED\nheavy +default +2\.5 /);
    expect(succeed(await admin("tenants", "list"))).toMatch(/^default +default +1 .*\nheavy +default +2\.5 /m);
  });

  test("exits with 1 and shows the API's message if the API refuses", async () => {
    const name = await admin("keys", "create", "--tenant", "No Name");
    const tier = await admin("tenants", "set", "default", "--tier", "gold");
    const id = await admin("keys", "revoke", "key_unknown");
    const wrongKey = await admin("keys", "list", "--admin-key", "wrong");

    expect([name.code, tier.code, id.code, wrongKey.code]).toEqual([1, 1, 1, 1]);
    expect(name.stderr).toContain("refused: Invalid value for 'tenant': it must be 1 to 63 characters");
    expect(tier.stderr).toContain("Supported values are: 'default'");
    expect(id.stderr).toContain("No such API key: 'key_unknown'");
    expect(wrongKey.stderr).toContain("--admin-key");
  });

  test("lists all pages from a server named with --server", async () => {
    const keys = Array.from({ length: 101 }, () =>
      call("/admin/v1/keys", { method: "POST", body: JSON.stringify({ tenant: "many" }) }),
    );
    for (const made of await Promise.all(keys)) expect(made.status).toBe(200);

    const named = ["--server", url.replace("http://", ""), "--admin-key", adminKey];
    const listed = json(await runCommand(["admin", "keys", "list", "--tenant", "many", "--json", ...named], {}));

    const ids = (listed["data"] as { id: string }[]).map(({ id }) => id);
    expect(new Set(ids).size).toBe(101);
    expect(listed).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids[100] });
  });

  describe("with a webhook receiver", () => {
    const received: string[] = [];
    let receiver: Server;
    let hook: string;
    beforeAll(async () => {
      receiver = createServer((request, response) => {
        void text(request).then((body) => {
          received.push(body);
          response.writeHead(204).end();
        });
      }).listen(0, "127.0.0.1");
      await once(receiver, "listening");
      hook = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/hook`;
    });
    afterAll(() => {
      receiver.close();
      receiver.closeAllConnections();
    });

    /** Creates a batch that fails, because the second line of its file is not JSON. */
    const failedBatch = async (key: string): Promise<string> => {
      const form = new FormData();
      form.set("purpose", "batch");
      form.set("file", new Blob(['{"custom_id":"1"}\nnot JSON']), "requests.jsonl");
      const file = (await (await call("/v1/files", { method: "POST", body: form, key })).json()) as { id: string };
      const body = JSON.stringify({ input_file_id: file.id, endpoint: "/v1/embeddings", completion_window: "24h" });
      return ((await (await call("/v1/batches", { method: "POST", body, key })).json()) as { id: string }).id;
    };

    test("creates an endpoint, lists it without its secret, tests it and deletes it", async () => {
      const made = succeed(await admin("webhooks", "create", "--tenant", "default", "--url", hook));
      const id = idIn(made);
      const listed = json(await admin("webhooks", "list", "--json"));
      const tested = succeed(await admin("webhooks", "test", id));
      const asJson = json(await admin("webhooks", "test", id, "--json"));

      expect(made).toMatch(/Signing secret, shown this once: whsec_\S+\n$/);
      expect(listed).toMatchObject({ data: [{ id, url: hook }], has_more: false });
      expect(JSON.stringify(listed)).not.toContain("whsec_");
      expect(tested).toBe(`endpoint   ${id}\ndelivered  true\nstatus     204\nerror      -\n`);
      const [, shown = ""] = /\/test` \|.*`\{(.*)\}`/.exec(readPageText("docs/webhooks.md")) ?? [];
      expect(Object.keys(asJson)).toEqual(namesIn(shown));
      expect(received).toHaveLength(2);
      expect(succeed(await admin("webhooks", "delete", id))).toBe(`${id} is deleted.\n`);
      expect((await call(`/admin/v1/webhooks/${id}/deliveries`)).status).toBe(404);
    });

    test("lists the delivery of an event", async () => {
      const { key } = json(await admin("keys", "create", "--tenant", "hooked", "--json")) as { key: string };
      const id = idIn(
        succeed(await admin("webhooks", "create", "--tenant", "hooked", "--url", hook, "--event", "batch.failed")),
      );
      const batch = await failedBatch(key);
      await until(
        async () => (await (await call(`/admin/v1/webhooks/${id}/deliveries`)).text()).includes('"delivered"'),
        { message: "the event is delivered", timeoutMs: 30_000, everyMs: 200 },
      );

      const shown = succeed(await admin("webhooks", "deliveries", id));

      expect(shown).toMatch(/^EVENT +BATCH +STATE +ATTEMPTS +STATUS +ERROR +CREATED +NEXT ATTEMPT\n/);
      expect(shown).toMatch(new RegExp(`\\nbatch\\.failed +${batch} +delivered +1 +204 +- `));
    });

    withBash("the commands of the webhooks page work as described", async () => {
      const commands = pageExample("docs/webhooks.md", "Set one up", "bash", 2).trimEnd().split("\n");
      const [create = "", list = "", ...others] = commands;
      const id = idIn(succeed(await shell(fillIn(create, { receiver: hook }))));
      const before = received.length;

      const [tryOut = "", deliveries = "", remove = ""] = others.map((command) => fillIn(command, { webhook: id }));

      expect(succeed(await shell(list))).toMatch(new RegExp(`^${id} +default +${hook} +batch\\.completed `, "m"));
      expect(succeed(await shell(tryOut))).toContain("delivered  true");
      expect(received).toHaveLength(before + 1);
      expect(succeed(await shell(deliveries))).toBe("No deliveries.\n");
      expect(succeed(await shell(remove))).toBe(`${id} is deleted.\n`);
    });
  });

  const shell = (script: string): Promise<Ended> => runShell(bash ?? "", script, { NIGHTSHIFT_DATA_DIR: dataDir });

  withBash("the key commands of the tenants page work as described", async () => {
    const [create = "", list = "", revoke = ""] = pageExample(TENANTS, "Keys", "bash").trimEnd().split("\n");
    const id = idIn(succeed(await shell(create)));

    expect(succeed(await shell(list))).toMatch(new RegExp(`^${id} +acme +nightly jobs +\\S+ +\\S+ +-$`, "m"));
    expect(succeed(await shell(fillIn(revoke, { apiKey: id })))).toContain(`${id} is revoked`);
  });

  withBash("the tier commands of the tenants page work with the tiers of the page", async () => {
    const [set = "", listTenants = ""] = pageExample(TENANTS, "Tiers", "bash").trimEnd().split("\n");
    succeed(await admin("keys", "create", "--tenant", "acme"));

    expect(succeed(await shell(set))).toMatch(/^acme +free +0\.5 /m);
    expect(succeed(await shell(listTenants))).toMatch(/^acme +free +0\.5 /m);
  });

  test("the calls of the tenants page return the JSON keys that the page shows", async () => {
    const rows = [
      ...readPageText(TENANTS).matchAll(/^\| `(GET|POST|DELETE) (\S+)`(?: `(\{.*?\})`)?[^|]*\| `\{(.*?)\}`/gm),
    ];
    const { id } = json(await admin("keys", "create", "--tenant", "acme", "--json"));

    for (const [, method = "", where = "", body, shown = ""] of rows) {
      const mine = where.replace("{id}", String(id)).replace("{tenant}", "acme");
      const reply = await call(mine, { method, ...(body === undefined ? {} : { body }) });
      expect({ where, keys: Object.keys((await reply.json()) as object) }).toEqual({ where, keys: namesIn(shown) });
    }
    expect(rows.map(([, method, where]) => `${method ?? ""} ${where ?? ""}`)).toEqual([
      "POST /admin/v1/keys",
      "DELETE /admin/v1/keys/{id}",
      "GET /admin/v1/tenants/{tenant}",
    ]);
  });
});

test("without a running service or an admin key, says what to do and starts nothing", async () => {
  const dataDir = await makeDataFolder();

  const unconfigured = await runCommand(["admin", "keys", "list"], { NIGHTSHIFT_DATA_DIR: dataDir });
  const locked = await runCommand(["admin", "keys", "list", "--server", "127.0.0.1:9"], {
    NIGHTSHIFT_DATA_DIR: dataDir,
    OPENAI_API_KEY: "sk-of-a-tenant",
  });

  expect(unconfigured).toMatchObject({ code: 1, stdout: "" });
  expect(unconfigured.stderr).toContain("--server");
  expect(locked.code).toBe(1);
  expect(locked.stderr).toContain("NIGHTSHIFT_ADMIN_KEY");
});

test.each([
  ["no tenant", ["admin", "keys", "create"]],
  ["a weight out of range", ["admin", "tenants", "set", "a", "--weight", "0"]],
  ["an unknown command", ["admin", "keys", "show"]],
])("exits with 2 for %s", async (_name, args) => {
  expect(await runCommand(args, {})).toMatchObject({ code: 2, stderr: expect.stringContaining("error:") });
});
