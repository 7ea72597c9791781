/** What is wrong with the shape of a routes file, in words. */
import type { ErrorObject } from "ajv";
import type { RouteFault } from "./routes-error.ts";

/** Where in the file something is, by its path. */
export type Place = (path: readonly string[]) => Pick<RouteFault, "where" | "line">;

/** One fault for each place that is not as the schema has it. */
export function shapeFaults(errors: readonly ErrorObject[], place: Place): RouteFault[] {
  const byPlace = new Map<string, RouteFault>();
  for (const error of errors) {
    const fault = shapeFault(error, place);
    // A value can break several rules of its schema; they share one description, so one fault says it all.
    if (!byPlace.has(fault.where)) byPlace.set(fault.where, fault);
  }
  return [...byPlace.values()];
}

interface DescribedSchema {
  readonly description?: string;
  readonly keys?: string;
  readonly properties?: Readonly<Record<string, DescribedSchema>>;
}

function shapeFault(error: ErrorObject, place: Place): RouteFault {
  const schema = error.parentSchema as DescribedSchema;
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

  if (error.keyword === "required") {
    const { missingProperty: key } = error.params as { missingProperty: string };
    return { ...place([...path, key]), got: "nothing", expected: schema.properties?.[key]?.description ?? "a value" };
  }
  if (error.keyword === "additionalProperties") {
    const { additionalProperty: key } = error.params as { additionalProperty: string };
    const known = Object.keys(schema.properties ?? {}).join(", ");
    return {
      ...place([...path, key]),
      got: schema.keys === undefined ? "an unknown key" : JSON.stringify(key),
      expected: schema.keys ?? `one of ${known}`,
    };
  }
  return { ...place(path), got: show(path, error.data), expected: schema.description ?? error.message ?? "" };
}

/** A value as it may be shown: keys and headers may be secrets, so only their kind is told; passwords in URLs are masked. */
export function show(path: readonly string[], value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty map" : "a map";
  if (path.includes("api_key") || path.includes("headers")) return `a ${typeof value}`;
  const text = JSON.stringify(value).replaceAll(/[^/@\s]*@/g, "***@");
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
