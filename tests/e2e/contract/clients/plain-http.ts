/** The contract client that uses plain HTTP without any SDK. */
import { createHmac, timingSafeEqual } from "node:crypto";
import {
  type Answer,
  type Client,
  type Fields,
  type FileToSend,
  inTurn,
  type Json,
  type Query,
  type Target,
} from "./client.ts";

/** Exceptions by status: contract §5.3. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  404: "NotFoundError",
  409: "ConflictError",
  429: "RateLimitError",
};

const TOLERANCE_SECONDS = 300;

/** Creates a client that uses fetch. Each call goes to the next API. */
export function createPlainClient({ urls, key }: Target): Client {
  const nextUrl = inTurn(urls);
  const call = async (method: string, path: string, body?: FormData | string): Promise<Answer> => {
    const headers = new Headers({ authorization: `Bearer ${key}` });
    if (typeof body === "string") headers.set("content-type", "application/json");
    return answerOf(await fetch(`${nextUrl()}/v1${path}`, { method, headers, body: body ?? null }));
  };
  const post = (path: string, fields: Fields): Promise<Answer> => call("POST", path, JSON.stringify(fields));
  const list = (path: string, query: Query = {}): Promise<Answer> => {
    const texts = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
    return call("GET", `${path}?${new URLSearchParams(texts).toString()}`);
  };
  const one = (name: string, id: string): string => `/${name}/${encodeURIComponent(id)}`;
  return {
    files: {
      create: (file, fields) => call("POST", "/files", formOf(file, fields)),
      list: (query) => list("/files", query),
      retrieve: (id) => call("GET", one("files", id)),
      delete: (id) => call("DELETE", one("files", id)),
      content: (id) => call("GET", `${one("files", id)}/content`),
    },
    uploads: {
      create: (fields) => post("/uploads", fields),
      addPart: (id, data) => {
        const form = new FormData();
        form.set("data", new Blob([data]), "part");
        return call("POST", `${one("uploads", id)}/parts`, form);
      },
      complete: (id, fields) => post(`${one("uploads", id)}/complete`, fields),
      cancel: (id) => call("POST", `${one("uploads", id)}/cancel`, ""),
    },
    batches: {
      create: (fields) => post("/batches", fields),
      list: (query) => list("/batches", query),
      retrieve: (id) => call("GET", one("batches", id)),
      cancel: (id) => call("POST", `${one("batches", id)}/cancel`, ""),
    },
    unwrap,
    nameOfBareBytes: "blob",
    retries: 0,
    withKey: (otherKey) => createPlainClient({ urls, key: otherKey }),
  };
}

/** Returns a form with nested fields in brackets, such as `expires_after` in contract §1.1. */
function formOf(file: FileToSend | undefined, fields: Fields): FormData {
  const form = new FormData();
  const append = (name: string, value: unknown): void => {
    if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) append(`${name}[${key}]`, inner);
    } else if (typeof value === "string" || typeof value === "number") form.append(name, String(value));
  };
  for (const [name, value] of Object.entries(fields)) append(name, value);
  if (file !== undefined) {
    const blob = new Blob([file.bytes]);
    if (file.name === undefined) form.append("file", blob);
    else form.append("file", blob, file.name);
  }
  return form;
}

async function answerOf(reply: Response): Promise<Answer> {
  const headers = Object.fromEntries(reply.headers);
  const common = {
    requestId: reply.headers.get("x-request-id"),
    replies: [{ status: reply.status, headers }],
    waits: [],
  };
  const isJson = headers["content-type"]?.startsWith("application/json") === true;
  if (reply.ok && !isJson) {
    return { ...common, json: null, bytes: Buffer.from(await reply.arrayBuffer()), refusal: null };
  }
  const json = (await reply.json()) as Json;
  if (reply.ok) return { ...common, json, bytes: null, refusal: null };
  const error = json["error"] as { message: string; type: string; param: string | null; code: string | null };
  const exception = EXCEPTIONS[reply.status] ?? "APIError";
  return { ...common, json: null, bytes: null, refusal: { exception, status: reply.status, ...error } };
}

/** Verifies a webhook as contract §1.4 specifies: with the three headers, the tolerance, and any of the signatures. */
async function unwrap(body: string, headers: Readonly<Record<string, string>>, secret: string): Promise<Json> {
  const [id = "", timestamp = "", signatures = ""] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(
    (name) => headers[name],
  );
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new Error("the timestamp is too far off");
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  const isSigned = signatures.split(" ").some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  if (!isSigned) throw new Error("no signature matches");
  return JSON.parse(body) as Json;
}
