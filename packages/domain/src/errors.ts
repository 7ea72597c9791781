/**
 * The catalogue of every error that a request can get. Call sites name the case, and only the API's error handler knows
 * the HTTP status. Messages quoted from the contract are verbatim, because clients match on them.
 */
export type ErrorKind =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "method"
  | "timeout"
  | "conflict"
  | "range"
  | "limited"
  | "head_too_large"
  | "unavailable";

export interface ErrorFacts {
  readonly kind: ErrorKind;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterSeconds?: number;
  /** The wait in milliseconds, for the SDKs to use. Older Node.js SDKs ignore waits of 60 s and more. */
  readonly retryAfterMs?: number;
  /** True for the check of uploads (§5.1), whose reply repeats the message in `detail`, next to `error`. */
  readonly hasDetail?: boolean;
}

/**
 * The error of a rejected request. The message is for the client and says what to change. Only `errors` creates these.
 */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly facts: ErrorFacts;

  constructor(message: string, facts: ErrorFacts, options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

const invalid = (message: string, param: string | null = null, code: string | null = null): RequestError =>
  new RequestError(message, { kind: "invalid", code, param });

const article = (type: string): string => {
  if (type === "null") return type;
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
};

const WHERE_KEYS_ARE =
  "You can find your API key by asking the operator of this server, who creates keys with 'nightshift admin keys create'.";

/** One factory for each case. § marks a section of the contract; a case without a section is Nightshift's own. */
export const errors = {
  /** §5.2, no key. */
  noApiKey: (): RequestError =>
    new RequestError(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
        "(i.e. Authorization: Bearer YOUR_KEY).",
      { kind: "unauthenticated", code: null, param: null },
    ),
  /**
   * §5.2, wrong key. Like OpenAI's message, it shows only the two ends of the key. The second sentence begins like
   * OpenAI's sentence but ends differently, because OpenAI's page of keys does not have the keys of this server.
   */
  wrongApiKey: (key: string): RequestError =>
    new RequestError(`Incorrect API key provided: ${maskKey(key)}. ${WHERE_KEYS_ARE}`, {
      kind: "unauthenticated",
      code: "invalid_api_key",
      param: null,
    }),
  /** The dashboard uses HTTP Basic authentication, not API keys. */
  adminOnly: (): RequestError =>
    new RequestError("Log in to the dashboard as the user 'admin' with the admin key as the password.", {
      kind: "unauthenticated",
      code: "admin_only",
      param: null,
    }),
  /** The admin API takes the admin key as the bearer token. */
  adminKeyOnly: (): RequestError =>
    new RequestError("The admin API needs the admin key (NIGHTSHIFT_ADMIN_KEY) as the bearer token.", {
      kind: "unauthenticated",
      code: "admin_key_only",
      param: null,
    }),
  /** A page of another site asked the dashboard to change something (CSRF). */
  crossSite: (): RequestError =>
    new RequestError("The dashboard accepts changes only from its own pages.", {
      kind: "forbidden",
      code: "cross_site",
      param: null,
    }),
  /** §5.2, unknown or deleted file, or another tenant's file. */
  fileNotFound: (id: string): RequestError =>
    new RequestError(`No such File object: ${id}`, { kind: "not_found", code: null, param: "id" }),
  /**
   * Unknown upload, or another tenant's upload. The contract has no text for it; this one follows the text for files.
   */
  uploadNotFound: (id: string): RequestError =>
    new RequestError(`No such Upload object: ${id}`, { kind: "not_found", code: null, param: "upload_id" }),
  /** §1.2, acting on an upload that has ended. The status is 400, because a retry cannot succeed. */
  uploadIsOver: (id: string, status: string): RequestError =>
    invalid(
      `Upload '${id}' has status '${status}' and can no longer be changed. Create a new upload.`,
      "upload_id",
      "upload_not_pending",
    ),
  /** §5.2, unknown batch, or another tenant's batch. */
  batchNotFound: (id: string): RequestError =>
    new RequestError(`No batch found with id '${id}'.`, { kind: "not_found", code: null, param: null }),
  /** Admin API: unknown or deleted webhook endpoint. */
  webhookEndpointNotFound: (id: string): RequestError =>
    new RequestError(`No webhook endpoint found with id '${id}'.`, { kind: "not_found", code: null, param: "id" }),
  /** Admin API: the tenant has the maximum number of endpoints. Not a 409, which SDKs retry: a retry cannot succeed. */
  tooManyWebhookEndpoints: (tenant: string, most: number): RequestError =>
    invalid(
      `Tenant '${tenant}' already has ${String(most)} webhook endpoints, the maximum. Delete one first.`,
      "tenant",
    ),
  /** §5.2, unknown URL. */
  unknownUrl: (method: string, path: string): RequestError =>
    new RequestError(`Unknown request URL: ${method} ${path}. Please check the URL for typos.`, {
      kind: "not_found",
      code: "unknown_url",
      param: null,
    }),
  /** §5.2, wrong method. */
  methodNotAllowed: (method: string, path: string): RequestError =>
    new RequestError(`Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`, {
      kind: "method",
      code: "method_not_supported",
      param: null,
    }),
  /** §5.2, missing field. */
  missingParameter: (param: string): RequestError =>
    invalid(`Missing required parameter: '${param}'.`, param, "missing_required_parameter"),
  /** §5.2, wrong JSON type. */
  invalidType: (param: string, expected: string, got: string): RequestError =>
    invalid(
      `Invalid type for '${param}': expected ${article(expected)}, but got ${article(got)} instead.`,
      param,
      "invalid_type",
    ),
  /** §5.2, value outside a closed list. */
  invalidValue: (param: string, got: string, supported: readonly string[]): RequestError =>
    invalid(
      `Invalid value for '${param}': '${got}'. Supported values are: ${supported.map((s) => `'${s}'`).join(", ")}.`,
      param,
      "invalid_value",
    ),
  /** A number, string or map that is out of range. */
  outOfRange: (param: string, rule: string): RequestError =>
    invalid(`Invalid value for '${param}': ${rule}.`, param, "invalid_value"),
  unknownParameter: (param: string): RequestError =>
    invalid(`Unknown parameter: '${param}'.`, param, "unknown_parameter"),
  /** The bytes received are not an HTTP/1.1 request: RFC 9112. */
  malformedHttp: (reason: string): RequestError =>
    invalid(`We could not read your request as HTTP/1.1: ${reason}. Please check what your client or proxy sends.`),
  /** Request line and headers together are too large: RFC 6585 §5. */
  headTooLarge: (maxBytes: number): RequestError =>
    new RequestError(
      `The URL and the headers of your request are too large: at most ${String(maxBytes)} bytes are accepted.`,
      { kind: "head_too_large", code: null, param: null },
    ),
  /** The request did not arrive in time: RFC 9110 §15.5.9. */
  requestTooSlow: (): RequestError =>
    new RequestError(
      "Your request did not arrive in time: 1 minute for its headers, 1 hour for all of it. Please try again.",
      {
        kind: "timeout",
        code: null,
        param: null,
      },
    ),
  malformedJson: (): RequestError =>
    invalid("We could not parse the JSON body of your request. Send a JSON object, in UTF-8."),
  malformedMultipart: (reason: string): RequestError =>
    invalid(`We could not read the multipart form of your request: ${reason}.`),
  /** Compressed data that is damaged, truncated or in another format. */
  damagedCompression: (coding: string, reason: string): RequestError =>
    invalid(`We could not decompress your ${coding} data: ${reason}. Compress it again, or send it uncompressed.`),
  /** A Content-Encoding that this route does not support. */
  unsupportedEncoding: (got: string, supported: readonly string[]): RequestError =>
    invalid(
      `Unsupported Content-Encoding: '${got}'. Supported are: ${supported.map((s) => `'${s}'`).join(", ")}, or none.`,
      "Content-Encoding",
      "invalid_value",
    ),
  bodyTooLarge: (maxBytes: number): RequestError =>
    invalid(`The request body is too large: at most ${String(maxBytes)} bytes are accepted here.`),
  /** §5.2, bad purpose. */
  invalidPurpose: (got: string, supported: readonly string[]): RequestError =>
    invalid(`'${got}' is not one of [${supported.map((s) => `'${s}'`).join(", ")}] - 'purpose'`, "purpose"),
  /** §5.2, file too large for its purpose. The status is 400, not 413. */
  fileTooLarge: (maxBytes: number): RequestError =>
    invalid(`File is too large. Files of this purpose may have at most ${String(maxBytes)} bytes.`),
  /** §5.2, a batch upload that is empty or not JSONL. */
  invalidFileFormat: (): RequestError =>
    new RequestError("Invalid file format for Batch API. Must be .jsonl", {
      kind: "invalid",
      code: null,
      param: null,
      hasDetail: true,
    }),
  /** A download's Range outside the file: RFC 9110 §15.5.17. */
  rangeNotSatisfiable: (bytes: number): RequestError =>
    new RequestError(`The requested range is not satisfiable: the file has ${String(bytes)} bytes.`, {
      kind: "range",
      code: "range_not_satisfiable",
      param: "Range",
    }),
  /** §5.2, a file whose purpose forbids downloads. */
  notDownloadable: (purpose: string): RequestError => invalid(`Not allowed to download files of purpose: ${purpose}`),
  /** §5.2, an input file with the wrong purpose. */
  wrongPurpose: (id: string, purpose: string): RequestError =>
    invalid(
      `File '${id}' has purpose '${purpose}'. The input file of a batch must be uploaded with purpose 'batch'.`,
      "input_file_id",
    ),
  /** §5.2, cancel of a finished batch. SDKs retry a 409, so the handler adds `x-should-retry: false`. */
  cannotCancel: (status: string): RequestError =>
    new RequestError(`Cannot cancel a batch with status '${status}'.`, { kind: "conflict", code: null, param: null }),
  /** Admin API: a tenant that never had a key. */
  tenantNotFound: (id: string): RequestError =>
    new RequestError(`No such tenant: '${id}'. Create its first key to create the tenant.`, {
      kind: "not_found",
      code: null,
      param: null,
    }),
  /** Admin API: an unknown key. */
  keyNotFound: (id: string): RequestError =>
    new RequestError(`No such API key: '${id}'.`, { kind: "not_found", code: null, param: null }),
  /** A limit of the tenant's tier. The status is 400, as for every file that is too large (§5.2). */
  tierFileTooLarge: (maxBytes: number): RequestError =>
    invalid(`File is too large. A file of your tenant may have at most ${String(maxBytes)} bytes.`),
  /** A limit of the tenant's tier. Not a 429, which SDKs retry: a retry fails until files are deleted or expire. */
  storageFull: (maxBytes: number): RequestError =>
    invalid(
      `This file would exceed the ${String(maxBytes)} bytes that your tenant may store. ` +
        "Delete files that you no longer need, or let them expire.",
      null,
      "storage_limit_exceeded",
    ),
  /** A limit of the tenant's tier. A retry fails until a batch ends, so the handler adds `x-should-retry: false`. */
  batchQueueFull: (maxUnfinished: number): RequestError =>
    new RequestError(
      `Your tenant has reached its limit of ${String(maxUnfinished)} unfinished batches, running and waiting. ` +
        "Create this batch again after one of them has ended.",
      { kind: "limited", code: "batch_queue_full", param: null, retryAfterSeconds: 60 },
    ),
  /** §5.2, the rate limit of the tenant's tier. */
  rateLimited: (perMinute: number, retryAfterMs: number): RequestError => {
    const retryAfterSeconds = Math.ceil(retryAfterMs / 1_000);
    return new RequestError(
      `Rate limit reached: ${String(perMinute)} requests per minute. Please try again in ${String(retryAfterSeconds)} s.`,
      { kind: "limited", code: "rate_limit_exceeded", param: null, retryAfterSeconds, retryAfterMs },
    );
  },
  /** Results of a batch that ended more than a day ago: only its files are left. */
  resultsGone: (id: string): RequestError =>
    new RequestError(
      `The results of batch '${id}' can be read line by line only until a day after its end. Download its output and ` +
        "error files instead.",
      { kind: "not_found", code: "results_expired", param: null },
    ),
  /** The key belongs to another request of the last day. A retry fails, so the handler adds `x-should-retry: false`. */
  idempotencyKeyReused: (): RequestError =>
    new RequestError(
      "This Idempotency-Key was used for another request in the last 24 hours. Use a new key for a new request, or send " +
        "the same request again.",
      { kind: "conflict", code: "idempotency_key_reused", param: "Idempotency-Key" },
    ),
  /** The first request with this key has not ended; the handler adds `x-should-retry: true`. */
  idempotencyKeyInUse: (): RequestError =>
    new RequestError("A request with this Idempotency-Key is still in progress. Please try again in a second.", {
      kind: "conflict",
      code: "idempotency_key_in_use",
      param: "Idempotency-Key",
      retryAfterSeconds: 1,
    }),
  /** Retry of a batch whose state has no failed requests to retry. The handler adds `x-should-retry`. */
  cannotRetry: (status: string): RequestError =>
    new RequestError(
      status === "finalizing"
        ? "The batch's result files are still being written. Retry its failed requests once it has finished."
        : `Cannot retry a batch with status '${status}'. Requests that failed can be retried while a batch is in progress, and after it has ended.`,
      { kind: "conflict", code: "batch_not_retryable", param: null },
    ),
  /** Retry of a finished batch whose input file, or a result file that would change, no longer exists. */
  cannotRetryWithout: (file: "input" | "output"): RequestError =>
    new RequestError(
      `The failed requests cannot be retried: the batch's ${file} file was deleted or has expired. Create a new batch with them.`,
      { kind: "conflict", code: "batch_file_gone", param: null },
    ),
  /** Postgres, the queue or the object store is unavailable. Nothing changed, or the change is safe to repeat. */
  unavailable: (what: string, cause: unknown): RequestError =>
    new RequestError(
      `The service cannot reach its ${what} at the moment. Nothing was lost; please try again.`,
      { kind: "unavailable", code: null, param: null, retryAfterSeconds: 2 },
      { cause },
    ),
} as const;

function maskKey(key: string): string {
  if (key.length <= 8) return "*".repeat(key.length);
  return `${key.slice(0, 4)}${"*".repeat(Math.min(key.length - 8, 24))}${key.slice(-4)}`;
}
