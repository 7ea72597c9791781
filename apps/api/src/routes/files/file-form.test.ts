/** The text fields of POST /v1/files. */
import { expect, test } from "@jest/globals";
import { RequestError } from "@nightshift/domain";
import { maxBytesOf, readPurposeSoFar, readFileForm } from "./file-form.ts";

function faultOf(fields: Record<string, unknown>): { message: string; param: string | null; code: string | null } {
  try {
    readFileForm(fields, null);
  } catch (error) {
    if (error instanceof RequestError)
      return { message: error.message, param: error.facts.param, code: error.facts.code };
    throw error;
  }
  throw new Error("the form was accepted");
}

const expiry = (anchor: unknown, seconds: unknown) => ({ purpose: "batch", expires_after: { anchor, seconds } });

test("by default, a file for a batch expires after the configured time, and other files never expire", () => {
  expect(readFileForm({ purpose: "batch" }, 86_400)).toEqual({ purpose: "batch", expiresAfterSeconds: 86_400 });
  expect(readFileForm({ purpose: "batch" }, null)).toEqual({ purpose: "batch", expiresAfterSeconds: null });
  expect(readFileForm({ purpose: "user_data" }, 86_400)).toEqual({ purpose: "user_data", expiresAfterSeconds: null });
});

test.each([["3600"], ["2592000"]])("reads an expiry of %s seconds from text", (seconds) => {
  expect(readFileForm(expiry("created_at", seconds), 86_400).expiresAfterSeconds).toBe(Number(seconds));
});

test.each([
  [{}, "purpose", "missing_required_parameter", "Missing required parameter: 'purpose'."],
  [
    { purpose: "X" },
    "purpose",
    null,
    "'X' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
  ],
  [{ purpose: ["batch", "batch"] }, "purpose", "invalid_type", "expected a string, but got an array"],
  [expiry("created_at", "3599"), "expires_after.seconds", "invalid_value", "it must be at least 3600"],
  [expiry("created_at", "2592001"), "expires_after.seconds", "invalid_value", "it must be at most 2592000"],
  [expiry("created_at", "soon"), "expires_after.seconds", "invalid_type", "expected an integer"],
  [expiry("last_active_at", "3600"), "expires_after.anchor", "invalid_value", "'created_at'"],
  [
    { purpose: "batch", expires_after: { seconds: "3600" } },
    "expires_after.anchor",
    "missing_required_parameter",
    "'expires_after.anchor'",
  ],
  [{ purpose: "batch", expires_after: "3600" }, "expires_after", "invalid_type", "expected an object"],
  [{ purpose: "batch", colour: "red" }, "colour", "unknown_parameter", "Unknown parameter: 'colour'."],
])("refuses %j because of %s", (fields, param, code, message) => {
  expect(faultOf(fields)).toEqual({ param, code, message: expect.stringContaining(message) });
});

test("accepts a form whose purpose has not arrived yet, but not an unknown purpose", () => {
  expect(readPurposeSoFar({})).toBeNull();
  expect(readPurposeSoFar({ purpose: "batch" })).toBe("batch");
  expect(() => readPurposeSoFar({ purpose: "nonsense" })).toThrow(RequestError);
});

test("allows 200 MiB for a batch, and 512 MiB for other purposes and before the purpose is known", () => {
  expect(maxBytesOf("batch")).toBe(209_715_200);
  expect(maxBytesOf("vision")).toBe(536_870_912);
  expect(maxBytesOf(null)).toBe(536_870_912);
});
