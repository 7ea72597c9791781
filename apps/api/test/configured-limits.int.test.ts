/** What the operator may set of the contract's numbers: completion windows, and how long files of batches live. */
import { describe, expect, test } from "@jest/globals";
import { parseCompletionWindows } from "@nightshift/domain";
import { parse } from "yaml";
import { errorOf, jsonOf, upload, useApi } from "./api-under-test.ts";

const good = { input_file_id: "file-1", endpoint: "/v1/chat/completions" };

describe("with windows of 1h and 7d, and files that live for ever", () => {
  const api = useApi(() => ({ completionWindows: parseCompletionWindows("1h,7d"), batchFileLifeSeconds: null }));
  const create = (window: string): Promise<Response> =>
    api.fetch("/v1/batches", { method: "POST", body: JSON.stringify({ ...good, completion_window: window }) });

  test.each([
    ["1h", 3_600],
    ["7d", 604_800],
  ])("a batch with the window %s has its deadline then", async (window, seconds) => {
    const batch = await jsonOf(await create(window));

    expect(batch).toMatchObject({ completion_window: window });
    expect(batch["expires_at"]).toBe((batch["created_at"] as number) + seconds);
  });

  test("24h is a window like others: refused where it is not offered", async () => {
    expect(await errorOf(await create("24h"), 400)).toMatchObject({
      message: "Invalid value for 'completion_window': '24h'. Supported values are: '1h', '7d'.",
      param: "completion_window",
      code: "invalid_value",
    });
  });

  test("the served description names the windows that are offered", async () => {
    const document: unknown = parse(await (await api.fetch("/openapi.yaml", { tenant: null })).text());

    expect(document).toMatchObject({
      components: {
        schemas: {
          CreateBatchRequest: { properties: { completion_window: { anyOf: [{ const: "1h" }, { const: "7d" }] } } },
        },
      },
    });
  });

  test("an input file has no end unless its upload asks for one", async () => {
    expect(await upload(api)).toMatchObject({ expires_at: null });
    const asked = await upload(api, { expiresAfter: 3_600 });
    expect(asked["expires_at"]).toBe((asked["created_at"] as number) + 3_600);
  });
});
