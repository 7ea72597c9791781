/** The OpenAPI document and its page, as served. */
import { expect, test } from "@jest/globals";
import { buildDocument, renderYaml } from "../src/openapi/document.ts";
import { operations } from "../src/openapi/operations.ts";
import { errorOf, useApi } from "./api-under-test.ts";

const api = useApi();

test("GET /openapi.yaml serves the document without a key", async () => {
  const reply = await api.fetch("/openapi.yaml", { tenant: null });

  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-type")).toBe("application/yaml; charset=utf-8");
  expect(await reply.text()).toBe(renderYaml(buildDocument(operations)));
});

test("GET /docs serves a page whose policy allows this server only", async () => {
  const reply = await api.fetch("/docs", { tenant: null });

  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(reply.headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'self';/);
  expect(await reply.text()).not.toMatch(/<script>|https?:/);
});

test("the server has every file that the page loads, and serves no other file of Swagger UI", async () => {
  const page = await (await api.fetch("/docs", { tenant: null })).text();
  const urls = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, url = ""]) => url);

  expect(urls).toContain("/docs/swagger-ui-bundle.js");
  for (const url of urls) expect((await api.fetch(url, { tenant: null })).status).toBe(200);
  expect((await api.fetch("/docs/swagger-ui.js", { tenant: null })).status).toBe(404);
});

test.each(["/openapi.yaml", "/docs", "/healthz", "/readyz", "/metrics"])(
  "%s accepts GET and HEAD only",
  async (path) => {
    const reply = await api.fetch(path, { method: "POST", tenant: null });

    expect(reply.headers.get("allow")).toBe("GET, HEAD");
    expect(await errorOf(reply, 405)).toMatchObject({ code: "method_not_supported" });
    expect((await api.fetch(path, { method: "HEAD", tenant: null })).status).toBe(200);
  },
);

test.each(operations.filter(({ key, method }) => key === "none" && method === "get"))(
  "$path needs no key, and its Content-Type is in the document",
  async ({ path, replies }) => {
    const reply = await api.fetch(path, { tenant: null });

    const described = Object.keys(replies[reply.status]?.content ?? {});
    expect(described).toContain(reply.headers.get("content-type")?.split(";")[0]);
  },
);
