/** What the API's description has to say of one operation. Each route's object stands next to the schemas it checks with. */
import type { errors } from "@nightshift/domain";
import type { TObject, TSchema } from "@sinclair/typebox";
import type { Method } from "../tenant-routes.ts";

/** A case of the catalogue of errors, by name. */
export type ErrorCase = keyof typeof errors;

/** A reply that is no case of the catalogue: a success, or one without the envelope of errors. */
export interface Reply {
  readonly description: string;
  /** By media type; null: bytes without a schema. Left out: no body. */
  readonly content?: Readonly<Record<string, TSchema | null>>;
  /** What each header says, by its name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By operation id: what its parameters can take from this reply, in OpenAPI's runtime expressions. */
  readonly links?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The body that an operation takes. */
export interface RequestBody {
  readonly mediaType: "application/json" | "multipart/form-data" | "application/octet-stream";
  readonly schema: TSchema;
  readonly isRequired: boolean;
  /** A body that is accepted, with the pages' names for what is the reader's own; each JSON body has one. */
  readonly example?: object;
}

/** One method of one path. */
export interface Operation {
  readonly method: Method;
  /** In OpenAPI's spelling: `/v1/files/{file_id}`. */
  readonly path: string;
  /** OpenAI's operationId where it has the operation. */
  readonly id: string;
  readonly tag: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** Markdown. */
  readonly description: string;
  /** True where OpenAI has no such operation. */
  readonly extension: boolean;
  /** Whose key it asks for: a tenant's, the admin's, or nobody's. */
  readonly key: "tenant" | "admin" | "none";
  readonly params?: TObject;
  readonly query?: TObject;
  readonly headers?: TObject;
  readonly body?: RequestBody;
  /** By status. */
  readonly replies: Readonly<Record<number, Reply>>;
  /** Its own cases; those that its key brings with it are added by the document. */
  readonly errors: readonly ErrorCase[];
}

/** What reading a JSON body can end in, before the schema of the body is asked: json-body.ts. */
export const JSON_BODY_CASES = [
  "malformedJson",
  "bodyTooLarge",
  "unsupportedEncoding",
  "damagedCompression",
] as const satisfies readonly ErrorCase[];

/** What the schema of a body or a form can refuse, where it has closed lists too. */
export const SCHEMA_CASES = [
  "missingParameter",
  "invalidType",
  "invalidValue",
  "outOfRange",
  "unknownParameter",
] as const satisfies readonly ErrorCase[];

/** The one JSON reply of status 200 that most operations have. */
export function ok(description: string, schema: TSchema, links?: Reply["links"]): Readonly<Record<number, Reply>> {
  return { 200: { description, content: { "application/json": schema }, ...(links === undefined ? {} : { links }) } };
}
