import { expect, test } from "@jest/globals";
import { ObjectNotFoundError } from "./object-store.ts";
import { isObjectStoreUnavailable } from "./unavailable.ts";

const reply = (status: number): Error => Object.assign(new Error("reply"), { $metadata: { httpStatusCode: status } });

test.each([
  ["a refused connection", Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })],
  ["a full disk", Object.assign(new Error("full"), { code: "ENOSPC" })],
  ["a timeout of the SDK", Object.assign(new Error("slow"), { name: "TimeoutError" })],
  ["an overloaded server", reply(503)],
  ["a server that throttles", reply(429)],
  ["a cause that is one of these", new Error("the bucket cannot be used", { cause: reply(500) })],
])("treats %s as unavailable", (_name, error) => {
  expect(isObjectStoreUnavailable(error)).toBe(true);
});

test.each([
  ["a missing object", new ObjectNotFoundError("a")],
  ["a denied access", reply(403)],
  ["an invalid key", new Error('"../x" is not a valid key of an object')],
  ["a value that is not an error", "ECONNREFUSED"],
])("does not treat %s as unavailable", (_name, error) => {
  expect(isObjectStoreUnavailable(error)).toBe(false);
});
