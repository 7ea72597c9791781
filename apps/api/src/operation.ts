/**
 * Defines how a route describes itself for the OpenAPI document. In each folder of routes, `operations.ts` has one
 * Operation for each route, next to the schemas that the handlers check with.
 */
import { type errors, IDEMPOTENCY_KEY } from "@nightshift/domain";
import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import type { Method } from "./tenant-routes.ts";

/** The name of a case in the error catalogue. */
export type ErrorCase = keyof typeof errors;

/** A reply that is not in the error catalogue: a success, or an error without the error envelope. */
export interface Reply {
  readonly description: string;
  /** The schema of the body, by media type. It is null for a body of bytes. Undefined if the reply has no body. */
  readonly content?: Readonly<Record<string, TSchema | null>>;
  /** The description of each header, by the name of the header. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For each operation id, the parameters that this reply provides, as OpenAPI runtime expressions. */
  readonly links?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The body that an operation takes. */
export interface RequestBody {
  readonly mediaType: "application/json" | "multipart/form-data" | "application/octet-stream";
  readonly schema: TSchema;
  readonly isRequired: boolean;
  /** A body that the operation accepts. Every JSON body has an example, whose ids are placeholders. */
  readonly example?: object;
}

/** One method of one path. */
export interface Operation {
  readonly method: Method;
  /** The path in the notation of OpenAPI, such as `/v1/files/{file_id}`. */
  readonly path: string;
  /** The operationId. It is OpenAI's if OpenAI has the operation. */
  readonly id: string;
  readonly tag: string;
  /** A summary in one line, without a full stop. */
  readonly summary: string;
  /** The description, in Markdown. */
  readonly description: string;
  /** True if OpenAI does not have the operation. */
  readonly extension: boolean;
  /** The kind of key that the operation requires. */
  readonly key: "tenant" | "admin" | "none";
  readonly params?: TObject;
  readonly query?: TObject;
  readonly headers?: TObject;
  readonly body?: RequestBody;
  /** The replies, by status. */
  readonly replies: Readonly<Record<number, Reply>>;
  /** The errors of this operation. The document adds the common errors of its kind of key. */
  readonly errors: readonly ErrorCase[];
}

/** The errors of json-body.ts, which can occur before the schema is checked. */
export const JSON_BODY_CASES = [
  "malformedJson",
  "bodyTooLarge",
  "unsupportedEncoding",
  "damagedCompression",
] as const satisfies readonly ErrorCase[];

/** The errors of a body or form whose schema has enumerations too. */
export const SCHEMA_CASES = [
  "missingParameter",
  "invalidType",
  "invalidValue",
  "outOfRange",
  "unknownParameter",
] as const satisfies readonly ErrorCase[];

/** The errors of idempotency.ts. */
export const IDEMPOTENCY_CASES = [
  "idempotencyKeyReused",
  "idempotencyKeyInUse",
] as const satisfies readonly ErrorCase[];

/** The request header of operations that idempotency.ts protects. */
export const IdempotencyHeaders = Type.Object({
  "Idempotency-Key": Type.Optional(
    Type.String({
      pattern: `^[!-~]{1,${String(IDEMPOTENCY_KEY.maxLength)}}$`,
      description:
        "Nightshift only. If the same request is repeated within 24 hours, the reply has the object that the first request created.",
    }),
  ),
});

/** The response header of the same operations. */
export const REPLAYED_HEADER = {
  "idempotency-replayed": "`true` if an earlier request with the same `Idempotency-Key` created the object.",
};

/** Returns the 200 reply of most operations, which has one JSON body. */
export function ok(description: string, schema: TSchema, links?: Reply["links"]): Readonly<Record<number, Reply>> {
  return { 200: { description, content: { "application/json": schema }, ...(links === undefined ? {} : { links }) } };
}

/**
 * Returns the schema of a multipart form as sent, derived from the schema of its fields as read. Nested objects become
 * bracketed keys (`expires_after[anchor]`), as the SDKs write them. `overrides` come first. They replace fields of the
 * same name, and add fields that the reader of fields never sees, such as the file.
 */
export function formSchema($id: string, overrides: TProperties, fields: TObject): TObject {
  const rest = Object.entries(fields.properties).filter(([name]) => !(name in overrides));
  return Type.Object(
    { ...overrides, ...Object.fromEntries(rest.flatMap(([name, schema]) => bracketed(name, schema))) },
    { $id, additionalProperties: false },
  );
}

function bracketed(name: string, schema: TSchema): [string, TSchema][] {
  const properties = schema["properties"] as TProperties | undefined;
  if (properties === undefined) return [[name, schema]];
  return Object.entries(properties).flatMap(([key, inner]) => bracketed(`${name}[${key}]`, Type.Optional(inner)));
}
