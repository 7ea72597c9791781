/** Collects the named schemas, so that the document contains each of them once. */
import type { TSchema } from "@sinclair/typebox";

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Components {
  /** Returns the schema, or a reference to it if it has a name. TypeBox schemas already are JSON Schema 2020-12. */
  refer(schema: TSchema): JsonSchema;
  /** Returns all referenced schemas, by name. */
  schemas(): Readonly<Record<string, JsonSchema>>;
}

export function createComponents(): Components {
  const found = new Map<string, JsonSchema>();

  const convert = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(convert);
    if (typeof value !== "object" || value === null) return value;
    const { $id, ...rest } = value as Record<string, unknown>;
    const plain = () => Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, convert(inner)]));
    if (typeof $id !== "string") return plain();
    const known = found.get($id);
    const schema = plain();
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`two different schemas have the name ${$id}`);
    }
    found.set($id, schema);
    return { $ref: `#/components/schemas/${$id}` };
  };

  return {
    refer: (schema) => convert(schema) as JsonSchema,
    schemas: () => Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
