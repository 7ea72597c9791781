/** The headers of contract §5.3, CORS, and keys in the `api-key` header of Azure. */
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { describe, expect, test } from "@jest/globals";
import { errorOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();

test.each([
  ["/v1/files", 200],
  ["/v1/files/file-1", 404],
  ["/v1/nothing", 404],
])("%s has openai-version and the CORS headers", async (path, status) => {
  const reply = await api.fetch(path);

  expect(reply.status).toBe(status);
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    "openai-version": "2020-10-01",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": expect.stringContaining("x-request-id"),
  });
});

test("openai-organization is the tenant, and is absent without a key", async () => {
  const { id } = await upload(api);

  for (const path of ["/v1/batches", `/v1/files/${id}/content`, "/v1/batches/batch_1"]) {
    expect((await api.fetch(path)).headers.get("openai-organization")).toBe("one");
  }
  expect((await api.fetch("/v1/batches", { tenant: null })).headers.get("openai-organization")).toBeNull();
});

test("paths outside /v1 have none of these headers", async () => {
  const { headers } = await api.fetch("/healthz", { tenant: null });

  expect(headers.get("openai-version")).toBeNull();
  expect(headers.get("access-control-allow-origin")).toBeNull();
});

describe("a CORS preflight", () => {
  const preflight = { origin: "https://page.example.com", "access-control-request-method": "POST" };

  test("is accepted, with the headers that the SDK wants to send", async () => {
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

  test("is refused by the admin API, and a plain OPTIONS request is refused by /v1", async () => {
    const admin = await api.fetch("/admin/v1/keys", { method: "OPTIONS", tenant: null, headers: preflight });
    const plain = await api.fetch("/v1/batches", { method: "OPTIONS", headers: { origin: preflight.origin } });

    expect(admin.headers.get("access-control-allow-origin")).toBeNull();
    await errorOf(plain, 405);
  });
});

describe("the api-key header of Azure's clients", () => {
  const bare = (tenant: "one" | "two") => api.authorization(tenant).replace("Bearer ", "");

  test("authenticates the request", async () => {
    const reply = await api.fetch("/v1/files", { tenant: null, headers: { "api-key": bare("two") } });

    expect(reply.status).toBe(200);
    expect(reply.headers.get("openai-organization")).toBe("two");
  });

  test("is refused if the key is invalid", async () => {
    const reply = await api.fetch("/v1/files", { tenant: null, headers: { "api-key": "wrong-0123456789" } });

    expect(await errorOf(reply, 401)).toMatchObject({ code: "invalid_api_key" });
  });

  test("is ignored if there is an Authorization header", async () => {
    const reply = await api.fetch("/v1/files", { tenant: "one", headers: { "api-key": bare("two") } });

    expect(reply.headers.get("openai-organization")).toBe("one");
  });
});

describe("when a tenant has used up its requests of the minute", () => {
  const limited = useApi(() => ({ tiers: createTiers({ default: { ...NO_LIMITS, requestsPerMinute: 1 } }) }));

  test("Retry-After-Ms stays below 60 s, because Node's SDK ignores longer waits", async () => {
    // The wait is longest in the first millisecond of a minute.
    limited.advanceClock((60_000 - (limited.now().getTime() % 60_000)) / 1_000);
    await limited.fetch("/v1/files");

    const { headers } = await limited.fetch("/v1/files");

    expect(headers.get("retry-after")).toBe("60");
    expect(headers.get("retry-after-ms")).toBe("59999");
  });
});
