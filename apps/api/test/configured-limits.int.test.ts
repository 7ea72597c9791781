/** Limits that the operator configures: completion windows and the expiry of files. */
import { describe, expect, test } from "@jest/globals";
import { parseCompletionWindows } from "@nightshift/domain";
import { parse } from "yaml";
import { errorOf, jsonOf, upload, useApi } from "./api-under-test.ts";

const good = { input_file_id: "file-1", endpoint: "/v1/chat/completions" };

describe("with windows of 1h and 7d, and files that never expire", () => {
  const api = useApi(() => ({ completionWindows: parseCompletionWindows("1h,7d"), batchFileLifeSeconds: null }));
  const create = (window: string): Promise<Response> =>
    api.fetch("/v1/batches", { method: "POST", body: JSON.stringify({ ...good, completion_window: window }) });

  test.each([
    ["1h", 3_600],
    ["7d", 604_800],
  ])("sets the deadline of a batch with the window %s", async (window, seconds) => {
    const batch = await jsonOf(await create(window));

    expect(batch).toMatchObject({ completion_window: window });
    expect(batch["expires_at"]).toBe((batch["created_at"] as number) + seconds);
  });

  test("refuses 24h if it is not configured", async () => {
    expect(await errorOf(await create("24h"), 400)).toMatchObject({
      message: "Invalid value for 'completion_window': '24h'. Supported values are: '1h', '7d'.",
      param: "completion_window",
      code: "invalid_value",
    });
  });

  test("lists the configured windows in the OpenAPI document", async () => {
    const document: unknown = parse(await (await api.fetch("/openapi.yaml", { tenant: null })).text());

    expect(document).toMatchObject({
      components: {
        schemas: {
          CreateBatchRequest: { properties: { completion_window: { anyOf: [{ const: "1h" }, { const: "7d" }] } } },
        },
      },
    });
  });

  test("keeps an input file unless its upload sets an expiry", async () => {
    expect(await upload(api)).toMatchObject({ expires_at: null });
    const asked = await upload(api, { expiresAfter: 3_600 });
    expect(asked["expires_at"]).toBe((asked["created_at"] as number) + 3_600);
  });
});
