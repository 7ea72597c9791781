/** Validates payloads when they enter the queue and when they leave it. */
import { Ajv, type ValidateFunction } from "ajv";
import { payloadSchemas, type JobName, type JobPayload } from "./catalogue.ts";

/** The result of reading a payload. A newer version of Nightshift wrote a `newer` payload. */
export type ReadPayload<N extends JobName> =
  | { readonly kind: "ok"; readonly payload: JobPayload<N> }
  | { readonly kind: "newer" }
  | { readonly kind: "invalid"; readonly faults: string };

/** Validates the stored data of a job. */
export type PayloadReader = <N extends JobName>(name: N, data: unknown) => ReadPayload<N>;

/** Compiles the catalogue's schemas, once for the process. */
export function createPayloadReader(): PayloadReader {
  const ajv = new Ajv({ allErrors: true });
  const validators = new Map<JobName, ValidateFunction>(
    Object.entries(payloadSchemas).map(([name, schema]) => [name as JobName, ajv.compile(schema)]),
  );
  return <N extends JobName>(name: N, data: unknown): ReadPayload<N> => {
    const validate = validators.get(name);
    if (validate?.(data) === true) return { kind: "ok", payload: data as JobPayload<N> };
    if (isNewer(data)) return { kind: "newer" };
    return { kind: "invalid", faults: ajv.errorsText(validate?.errors, { dataVar: name }) };
  };
}

function isNewer(data: unknown): boolean {
  return typeof data === "object" && data !== null && "v" in data && typeof data.v === "number" && data.v > 1;
}
