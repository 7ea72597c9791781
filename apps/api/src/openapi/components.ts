/** Gathers the schemas that have a name of their own, so that the description has each once. */
import type { TSchema } from "@sinclair/typebox";

/** A JSON Schema as it is written out. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Components {
  /** The schema, or a reference to it where it has a name. TypeBox' schemas are JSON Schema 2020-12 already. */
  refer(schema: TSchema): JsonSchema;
  /** All that were referred to, by name. */
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
      throw new Error(`two schemas of the API's description are called ${$id}`);
    }
    found.set($id, schema);
    return { $ref: `#/components/schemas/${$id}` };
  };

  return {
    refer: (schema) => convert(schema) as JsonSchema,
    schemas: () => Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
