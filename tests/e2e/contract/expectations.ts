/** Reads a client's answers: the object that it returned, or the error that it raised. */
import { expect } from "@jest/globals";
import type { Answer, Json } from "./clients/client.ts";

/** Returns the object that the client returned. Throws if the call was refused. */
export async function jsonOf(answering: Promise<Answer>): Promise<Json> {
  const { json, refusal } = await answering;
  if (json === null) throw new Error(`The call was refused: ${JSON.stringify(refusal)}`);
  return json;
}

/** Returns the id of the object that the client returned. */
export async function idOf(answering: Promise<Answer>): Promise<string> {
  return (await jsonOf(answering))["id"] as string;
}

/** Returns the bytes that the client returned. Throws if the call was refused. */
export async function bytesOf(answering: Promise<Answer>): Promise<Buffer> {
  const { bytes, refusal } = await answering;
  if (bytes === null) throw new Error(`The call was refused: ${JSON.stringify(refusal)}`);
  return bytes;
}

/** Returns the sorted keys of an object, because their order depends on the client. */
export const keysOf = (object: Json): string[] => Object.keys(object).sort();

/** Returns the ids on a page of a list. */
export const idsOf = (page: Json): string[] => (page["data"] as readonly { readonly id: string }[]).map(({ id }) => id);

/** Exceptions by status: contract §5.3. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  404: "NotFoundError",
  409: "ConflictError",
  429: "RateLimitError",
};

/** The expected content of a refusal. `param` and `code` are null by default. */
export interface ExpectedRefusal {
  readonly status: number;
  readonly message: unknown;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly type?: string;
}

/** Expects one request, and the exception of the status with every field of the envelope and the request id. */
export function expectRefusal(answer: Answer, { status, message, ...rest }: ExpectedRefusal): void {
  const { param = null, code = null, type = "invalid_request_error" } = rest;
  expect(answer).toMatchObject({
    json: null,
    bytes: null,
    refusal: { exception: EXCEPTIONS[status], status, type, code, param, message },
  });
  expect(answer.replies.map((reply) => reply.status)).toEqual([status]);
  expect(answer.requestId).toMatch(/^req_[0-9a-f]{32}$/);
  expect(answer.requestId).toBe(answer.replies[0]?.headers["x-request-id"]);
}

/** Returns the 404 that every call with an unknown file returns: contract §5.2. */
export const noSuchFile = (id: string): ExpectedRefusal => ({
  status: 404,
  message: `No such File object: ${id}`,
  param: "id",
});
