/** The schema of a multipart form as it goes over the wire, made from the schema of its fields once they were read. */
import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";

/**
 * Nested objects become bracketed keys (`expires_after[anchor]`), as the SDKs spell them; `overrides` come first and stand
 * for the fields of the same name, or for those that the reader of fields never sees, such as the file.
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
