/**
 * The one catalogue of what can be wrong with a request. Call sites name the case; the API's error handler alone
 * knows the HTTP status. Messages quoted from the contract are verbatim, because clients match on them.
 */
export type ErrorKind =
  "invalid" | "unauthenticated" | "forbidden" | "not_found" | "method" | "conflict" | "limited" | "unavailable";

export interface ErrorFacts {
  readonly kind: ErrorKind;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterSeconds?: number;
  /** §5.1, the check of uploads: the reply has the message a second time, in a sibling `detail`. */
  readonly hasDetail?: boolean;
}

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

const article = (type: string): string => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);

/** One factory for each case; sources are sections of the contract. */
export const errors = {
  /** §5.2, no key. */
  noApiKey: (): RequestError =>
    new RequestError(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
        "(i.e. Authorization: Bearer YOUR_KEY).",
      { kind: "unauthenticated", code: null, param: null },
    ),
  /** §5.2, wrong key. The key is masked as OpenAI masks it: its two ends only. */
  wrongApiKey: (key: string): RequestError =>
    new RequestError(`Incorrect API key provided: ${maskKey(key)}.`, {
      kind: "unauthenticated",
      code: "invalid_api_key",
      param: null,
    }),
  /** The dashboard asks for HTTP Basic, not for an API key. */
  adminOnly: (): RequestError =>
    new RequestError("The dashboard asks for the user 'admin' and the admin key as the password.", {
      kind: "unauthenticated",
      code: "admin_only",
      param: null,
    }),
  /** The admin API takes the admin key as bearer. */
  adminKeyOnly: (): RequestError =>
    new RequestError("The admin API asks for the admin key (NIGHTSHIFT_ADMIN_KEY) as the bearer token.", {
      kind: "unauthenticated",
      code: "admin_key_only",
      param: null,
    }),
  /** A browser on another site asked the dashboard to change something. */
  crossSite: (): RequestError =>
    new RequestError("The dashboard takes changes only from its own pages.", {
      kind: "forbidden",
      code: "cross_site",
      param: null,
    }),
  /** §5.2, unknown or deleted file, or another tenant's. */
  fileNotFound: (id: string): RequestError =>
    new RequestError(`No such File object: ${id}`, { kind: "not_found", code: null, param: "id" }),
  /** §5.2, unknown batch, or another tenant's. */
  batchNotFound: (id: string): RequestError =>
    new RequestError(`No batch found with id '${id}'.`, { kind: "not_found", code: null, param: null }),
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
  /** A number, string or map outside its range. */
  outOfRange: (param: string, rule: string): RequestError =>
    invalid(`Invalid value for '${param}': ${rule}.`, param, "invalid_value"),
  unknownParameter: (param: string): RequestError =>
    invalid(`Unknown parameter: '${param}'.`, param, "unknown_parameter"),
  malformedJson: (): RequestError =>
    invalid("We could not parse the JSON body of your request. Send a JSON object, in UTF-8."),
  malformedMultipart: (reason: string): RequestError =>
    invalid(`We could not read the multipart form of your request: ${reason}.`),
  bodyTooLarge: (maxBytes: number): RequestError =>
    invalid(`The request body is too large: at most ${String(maxBytes)} bytes are accepted here.`),
  /** §5.2, bad purpose. */
  invalidPurpose: (got: string, supported: readonly string[]): RequestError =>
    invalid(`'${got}' is not one of [${supported.map((s) => `'${s}'`).join(", ")}] - 'purpose'`, "purpose"),
  /** §5.2, file too large for its purpose: 400, not 413. */
  fileTooLarge: (maxBytes: number): RequestError =>
    invalid(`File is too large. Files of this purpose may have at most ${String(maxBytes)} bytes.`),
  /** §5.2, batch upload that is not JSONL, or empty. */
  invalidFileFormat: (): RequestError =>
    new RequestError("Invalid file format for Batch API. Must be .jsonl", {
      kind: "invalid",
      code: null,
      param: null,
      hasDetail: true,
    }),
  /** §5.2, content of a purpose that is not handed out. */
  notDownloadable: (purpose: string): RequestError => invalid(`Not allowed to download files of purpose: ${purpose}`),
  /** §5.2, wrong-purpose input file. */
  wrongPurpose: (id: string, purpose: string): RequestError =>
    invalid(
      `File '${id}' has purpose '${purpose}'. The input file of a batch must be uploaded with purpose 'batch'.`,
      "input_file_id",
    ),
  /** §5.2, cancel of a finished batch; SDKs retry a 409, so the handler adds `x-should-retry: false`. */
  cannotCancel: (status: string): RequestError =>
    new RequestError(`Cannot cancel a batch with status '${status}'.`, { kind: "conflict", code: null, param: null }),
  /** A store is away; nothing was changed, or the change is safe to repeat. */
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
