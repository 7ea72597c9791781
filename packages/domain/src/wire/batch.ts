/** The Batch object and the body that creates one: contract §1.3 and §3.1. */
import { Type, type Static, type TInteger, type TObject, type TSchema } from "@sinclair/typebox";
import { BATCH_STATUSES } from "../batch-status.ts";
import { BATCH_ENDPOINTS } from "../endpoints.ts";
import { METADATA } from "../limits.ts";
import { TOKEN_COUNTERS, type TokenUsage } from "../usage.ts";
import { expiresAfter, nullable } from "./shared-schemas.ts";

const seconds = () => nullable(Type.Integer());

/** One entry of `errors.data`: contract §3.4. `line` counts from 1 and includes blank lines. */
export const BatchError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  param: nullable(Type.String()),
  line: nullable(Type.Integer({ minimum: 1 })),
});
export type BatchError = Static<typeof BatchError>;

type WireCounter = (typeof TOKEN_COUNTERS)[number]["wire"];
type PlainCounter = Extract<WireCounter, { details: null }>;
type DetailCounter = Exclude<WireCounter, PlainCounter>;

/**
 * The token counters of a batch. Counters without details are direct keys. Counters with details are grouped by the
 * name of the details.
 */
export type BatchUsage = Record<PlainCounter["key"], number> & {
  [Details in DetailCounter["details"]]: Record<Extract<DetailCounter, { details: Details }>["key"], number>;
};

function usageSchema(): TSchema {
  const plain: Record<string, TInteger> = {};
  const details: Record<string, TObject> = {};
  for (const { wire } of TOKEN_COUNTERS) {
    if (wire.details === null) plain[wire.key] = Type.Integer();
    else details[wire.details] = Type.Object({ ...details[wire.details]?.properties, [wire.key]: Type.Integer() });
  }
  return Type.Object({ ...plain, ...details });
}
export const BatchUsage = Type.Unsafe<BatchUsage>(usageSchema());

/** Presents the usage of a batch in wire order. */
export function presentUsage(usage: TokenUsage): BatchUsage {
  const presented: Record<string, number> = {};
  const details: Record<string, Record<string, number>> = {};
  for (const { name, wire } of TOKEN_COUNTERS) {
    if (wire.details === null) presented[wire.key] = usage[name];
    else details[wire.details] = { ...details[wire.details], [wire.key]: usage[name] };
  }
  return { ...presented, ...details } as BatchUsage;
}

/** The Batch object in wire order. Every key is always present, and an unset key is null: contract §3.1. */
export const BatchObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("batch"),
    endpoint: Type.String(),
    model: nullable(Type.String()),
    errors: nullable(Type.Object({ object: Type.Literal("list"), data: Type.Array(BatchError) })),
    input_file_id: Type.String(),
    completion_window: Type.String(),
    status: Type.Union(BATCH_STATUSES.map((status) => Type.Literal(status))),
    output_file_id: nullable(Type.String()),
    error_file_id: nullable(Type.String()),
    created_at: Type.Integer(),
    in_progress_at: seconds(),
    expires_at: Type.Integer(),
    finalizing_at: seconds(),
    completed_at: seconds(),
    failed_at: seconds(),
    expired_at: seconds(),
    cancelling_at: seconds(),
    cancelled_at: seconds(),
    request_counts: Type.Object({ total: Type.Integer(), completed: Type.Integer(), failed: Type.Integer() }),
    usage: BatchUsage,
    metadata: nullable(Type.Record(Type.String(), Type.String())),
  },
  { $id: "Batch", additionalProperties: false },
);
export type BatchObject = Static<typeof BatchObject>;

/** Returns the schema of the body of POST /v1/batches for these completion windows: contract §1.3. */
export const createBatchBody = (windows: Iterable<string>) =>
  Type.Object(
    {
      input_file_id: Type.String(),
      endpoint: Type.Union(BATCH_ENDPOINTS.map((endpoint) => Type.Literal(endpoint))),
      completion_window: Type.Union([...windows].map((window) => Type.Literal(window))),
      metadata: Type.Optional(
        nullable(
          // Type.Record does not fit: it drops the keys' maxLength and accepts any value for a key with a line break.
          Type.Unsafe<Record<string, string>>({
            type: "object",
            maxProperties: METADATA.maxPairs,
            propertyNames: { type: "string", maxLength: METADATA.maxKeyLength },
            additionalProperties: { type: "string", maxLength: METADATA.maxValueLength },
          }),
        ),
      ),
      output_expires_after: Type.Optional(nullable(expiresAfter())),
    },
    { $id: "CreateBatchRequest", additionalProperties: false },
  );

export type CreateBatchBody = Static<ReturnType<typeof createBatchBody>>;
