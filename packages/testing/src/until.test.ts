import { expect, test } from "@jest/globals";
import { until } from "./until.ts";

test("resolves with the first truthy value", async () => {
  const answers = [0, "", null, "there"];

  const value = await until(() => answers.shift(), { message: "an answer", everyMs: 1 });

  expect(value).toBe("there");
});

test("rejects after the time-out with its message, and the last error as the cause", async () => {
  const waiting = until(() => Promise.reject(new Error("not yet")), { message: "pigs fly", timeoutMs: 20 });

  await expect(waiting).rejects.toMatchObject({
    message: expect.stringContaining("pigs fly"),
    cause: { message: "not yet" },
  });
});
