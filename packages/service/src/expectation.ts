/** Says in words what a configuration schema accepts. */
import type { TSchema } from "@sinclair/typebox";

/** What a value of `schema` looks like, as the end of "expected …". The schema's own `description` wins. */
export function describeExpectation(schema: TSchema): string {
  if (schema.description !== undefined) return schema.description;
  const choices = listChoices(schema);
  if (choices !== null) return `one of ${choices.join(", ")}`;
  if (schema["type"] === "integer") return `an integer${describeBounds(schema)}`;
  if (schema["type"] === "number") return `a number${describeBounds(schema)}`;
  if (schema["type"] === "boolean") return "true or false";
  if (typeof schema["format"] === "string") return `a string of the format ${schema["format"]}`;
  if (typeof schema["pattern"] === "string") return `a string that matches ${schema["pattern"]}`;
  return "a string";
}

function listChoices(schema: TSchema): string[] | null {
  const options: unknown = schema["anyOf"];
  if (!Array.isArray(options)) return "const" in schema ? [String(schema["const"])] : null;
  const choices = (options as TSchema[]).map(listChoices);
  return choices.every((choice) => choice !== null) ? choices.flat() : null;
}

function describeBounds(schema: TSchema): string {
  const least: unknown = schema["minimum"];
  const most: unknown = schema["maximum"];
  if (typeof least === "number" && typeof most === "number") return ` from ${String(least)} to ${String(most)}`;
  if (typeof least === "number") return ` of at least ${String(least)}`;
  if (typeof most === "number") return ` of at most ${String(most)}`;
  return "";
}
