/** The headers of contract §5.3, keys in Azure's header, and pages of other sites. */
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { describe, expect, test } from "@jest/globals";
import { errorOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();

test.each([
  ["/v1/files", 200],
  ["/v1/files/file-1", 404],
  ["/v1/nothing", 404],
])("%s says which version of the wire it is, to pages of any site", async (path, status) => {
  const reply = await api.fetch(path);

  expect(reply.status).toBe(status);
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    "openai-version": "2020-10-01",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": expect.stringContaining("x-request-id"),
  });
});

test("the organization is the tenant, and nobody's without a key", async () => {
  const { id } = await upload(api);

  for (const path of ["/v1/batches", `/v1/files/${id}/content`, "/v1/batches/batch_1"]) {
    expect((await api.fetch(path)).headers.get("openai-organization")).toBe("one");
  }
  expect((await api.fetch("/v1/batches", { tenant: null })).headers.get("openai-organization")).toBeNull();
});

test("what is not the API of tenants has none of these", async () => {
  const { headers } = await api.fetch("/healthz", { tenant: null });

  expect(headers.get("openai-version")).toBeNull();
  expect(headers.get("access-control-allow-origin")).toBeNull();
});

describe("a browser that asks before a page's request", () => {
  const preflight = { origin: "https://page.example.com", "access-control-request-method": "POST" };

  test("hears yes, with the headers that the SDK wants to send", async () => {
    const reply = await api.fetch("/v1/batches", {
      method: "OPTIONS",
      tenant: null,
      headers: { ...preflight, "access-control-request-headers": "authorization,x-stainless-os" },
    });

    expect(reply.status).toBe(204);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, HEAD, POST, DELETE",
      "access-control-allow-headers": "authorization,x-stainless-os",
      "x-request-id": expect.stringMatching(/^req_/),
    });
  });

  test("hears nothing of the kind from the admin API, nor does OPTIONS without the question", async () => {
    const admin = await api.fetch("/admin/v1/keys", { method: "OPTIONS", tenant: null, headers: preflight });
    const plain = await api.fetch("/v1/batches", { method: "OPTIONS", headers: { origin: preflight.origin } });

    expect(admin.headers.get("access-control-allow-origin")).toBeNull();
    await errorOf(plain, 405);
  });
});

describe("api-key, where Azure's clients send their key", () => {
  const bare = (tenant: "one" | "two") => api.authorization(tenant).replace("Bearer ", "");

  test("is a key", async () => {
    const reply = await api.fetch("/v1/files", { tenant: null, headers: { "api-key": bare("two") } });

    expect(reply.status).toBe(200);
    expect(reply.headers.get("openai-organization")).toBe("two");
  });

  test("a wrong one is a wrong key", async () => {
    const reply = await api.fetch("/v1/files", { tenant: null, headers: { "api-key": "wrong-0123456789" } });

    expect(await errorOf(reply, 401)).toMatchObject({ code: "invalid_api_key" });
  });

  test("Authorization wins", async () => {
    const reply = await api.fetch("/v1/files", { tenant: "one", headers: { "api-key": bare("two") } });

    expect(reply.headers.get("openai-organization")).toBe("one");
  });
});

describe("when a tenant has used up its minute", () => {
  const limited = useApi(() => ({ tiers: createTiers({ default: { ...NO_LIMITS, requestsPerMinute: 1 } }) }));

  test("SDKs of either language wait for as long as it takes: Node's take less than 60 s only", async () => {
    // The first millisecond of a minute is the one with the longest wait.
    limited.advanceClock((60_000 - (limited.now().getTime() % 60_000)) / 1_000);
    await limited.fetch("/v1/files");

    const { headers } = await limited.fetch("/v1/files");

    expect(headers.get("retry-after")).toBe("60");
    expect(headers.get("retry-after-ms")).toBe("59999");
  });
});
