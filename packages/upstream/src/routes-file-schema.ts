/** The schema of the YAML file of upstreams, routes and tiers, and the faults of a file that does not match it. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";
import { BASE_URL_EXPECTED } from "./base-url.ts";
import type { Place, RouteFault } from "./routes-error.ts";
import { RANGES } from "./settings.ts";
import { TIERS } from "./tiers-file.ts";

const closed = { additionalProperties: false } as const;
const count = (range: { minimum: number; maximum: number }, unit = "") =>
  Type.Optional(
    Type.Integer({
      ...range,
      description: `a whole number${unit} from ${String(range.minimum)} to ${String(range.maximum)}`,
    }),
  );

// `description` describes a valid value, and `keys` describes a valid key of a map. Messages show both after
// "expected".
const UPSTREAM = Type.Object(
  {
    base_url: Type.String({ description: BASE_URL_EXPECTED }),
    api_key: Type.Optional(Type.String({ minLength: 1, description: "the API key, as a string", secret: true })),
    api_key_env: Type.Optional(
      Type.String({ minLength: 1, description: "the name of the environment variable that holds the API key" }),
    ),
    concurrency: count(RANGES.concurrency),
    requests_per_minute: count(RANGES.requestsPerMinute),
    timeout_seconds: count(RANGES.timeoutSeconds, " of seconds"),
    max_attempts: count(RANGES.maxAttempts),
    slice_lines: count(RANGES.sliceLines),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ description: "a string" }), {
        description: "a map of header names to strings",
        secret: true,
      }),
    ),
  },
  { ...closed, description: "a map with base_url and optional settings" },
);

const ROUTE = Type.Object(
  {
    upstream: Type.String({ description: "the name of an upstream" }),
    as: Type.Optional(
      Type.String({ minLength: 1, description: "the model's name at the upstream; {model} is the requested name" }),
    ),
  },
  { ...closed, description: "a map with upstream and, optionally, as" },
);

const FILE = Type.Object(
  {
    upstreams: Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,39}$" }), UPSTREAM, {
      ...closed,
      minProperties: 1,
      description: "a map of names to upstreams, with at least one upstream",
      keys: "a name of 1 to 40 characters (a-z, 0-9 and -) that does not begin with -",
    }),
    models: Type.Optional(
      Type.Record(Type.String({ pattern: "^[^*]+\\*?$|^\\*$" }), ROUTE, {
        ...closed,
        description: "a map of models to routes",
        keys: "a model, a prefix that ends in *, or *",
      }),
    ),
    tiers: Type.Optional(TIERS),
  },
  { ...closed, description: "a map with upstreams and, optionally, models and tiers" },
);

/** A file that matches the schema. */
export type RoutesFile = Static<typeof FILE>;
/** One value of `upstreams`. */
export type UpstreamEntry = Static<typeof UPSTREAM>;
/** One value of `models`. */
export type RouteEntry = Static<typeof ROUTE>;

/** The keys of an upstream that can hold secrets. Messages do not show their values. */
const SECRETS = Object.entries<TSchema>(UPSTREAM.properties)
  .filter(([, schema]) => schema["secret"] === true)
  .map(([key]) => key);

const ajv = new Ajv({ allErrors: true, verbose: true, keywords: ["keys", "secret"] });

/** After a call, `errors` has the faults, each with the part of the schema that does not match. */
export const isRoutesFile = ajv.compile<RoutesFile>(FILE);
export const isUpstream = ajv.compile<UpstreamEntry>(UPSTREAM);
export const isRoute = ajv.compile<RouteEntry>(ROUTE);

/** Returns one fault for each place that does not match the schema. */
export function shapeFaults(errors: readonly ErrorObject[], place: Place): RouteFault[] {
  const byPlace = new Map<string, RouteFault>();
  for (const error of errors) {
    const fault = shapeFault(error, place);
    // A value can break several rules of its schema. They share one description, so one fault is enough.
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

/**
 * Formats a value for a message. Keys and headers may be secrets, so only their type is shown. Masks passwords in URLs.
 */
export function show(path: readonly string[], value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty map" : "a map";
  if (SECRETS.some((key) => path.includes(key))) return `a ${typeof value}`;
  const text = JSON.stringify(value).replaceAll(/[^/@\s]*@/g, "***@");
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
