/** Reads the YAML file of upstreams, routes and tiers, and reports each fault with its place. */
import type { Tiers } from "@nightshift/domain";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { BASE_URL_EXPECTED, isBaseUrl } from "./base-url.ts";
import { type Place, type RouteFault, RoutesError } from "./routes-error.ts";
import {
  isRoute,
  isRoutesFile,
  isUpstream,
  type RouteEntry,
  type RoutesFile,
  shapeFaults,
  show,
  type UpstreamEntry,
} from "./routes-file-schema.ts";
import { createRoutes, type Routes } from "./routes.ts";
import { DEFAULTS, type UpstreamSettings } from "./settings.ts";
import { buildTiers, tierFaults } from "./tiers-file.ts";

/** The variables that `api_key_env` may name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses the text of a routes file. `source` is its path, for messages. Throws RoutesError with all faults of the YAML
 * syntax or, if there are none, with all other faults.
 */
export function parseRoutes(text: string, source: string, env: Environment): Routes {
  return build(parseFile(text, source, env), env);
}

/** Parses the section `tiers` of the same file. Throws like parseRoutes. */
export function parseTiers(text: string, source: string, env: Environment): Tiers {
  return buildTiers(parseFile(text, source, env).tiers);
}

function parseFile(text: string, source: string, env: Environment): RoutesFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const syntaxFaults = document.errors.map((error) => ({
    where: "the file",
    got: `text that is not YAML (${error.message})`,
    expected: "YAML",
    line: lineCounter.linePos(error.pos[0]).line,
  }));
  if (syntaxFaults.length > 0) throw new RoutesError(source, syntaxFaults);

  const place: Place = (path) => {
    const line = lineOf(document, lineCounter, path);
    return { where: path.length === 0 ? "the file" : path.join("."), ...(line === undefined ? {} : { line }) };
  };

  const file: unknown = document.toJS();
  const hasShape = isRoutesFile(file);
  const shape = shapeFaults(isRoutesFile.errors ?? [], place);
  const faults = [...shape, ...meaningFaults(file, env, place), ...tierFaults(file, place)];
  if (!hasShape || faults.length > 0) throw new RoutesError(source, faults);
  return file;
}

/** Returns the line of the value at `path`, or of the nearest existing value around it. */
function lineOf(document: Document, lineCounter: LineCounter, path: readonly string[]): number | undefined {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
  return path.length === 0 ? undefined : lineOf(document, lineCounter, path.slice(0, -1));
}

/** The settings of one upstream as the file or the environment gives them; undefined stands for the default. */
type GivenSettings = { readonly [Key in keyof UpstreamEntry]?: UpstreamEntry[Key] | undefined } & {
  readonly base_url: string;
};

/** Fills in the defaults. No other function turns configuration into settings. */
export function toSettings(name: string, given: GivenSettings, apiKey: string | null): UpstreamSettings {
  return {
    name,
    baseUrl: given.base_url,
    apiKey,
    concurrency: given.concurrency ?? DEFAULTS.concurrency,
    requestsPerMinute: given.requests_per_minute ?? null,
    timeoutMs: (given.timeout_seconds ?? DEFAULTS.timeoutSeconds) * 1000,
    maxAttempts: given.max_attempts ?? DEFAULTS.maxAttempts,
    sliceLines: given.slice_lines ?? null,
    headers: given.headers ?? {},
  };
}

function build({ upstreams, models }: RoutesFile, env: Environment): Routes {
  const settings = Object.entries(upstreams).map(([name, entry]) => toSettings(name, entry, keyOf(entry, env)));
  const rules =
    models === undefined
      ? settings.map(({ name }) => ({ pattern: "*", upstream: name, as: null }))
      : Object.entries(models).map(([pattern, { upstream, as }]) => ({ pattern, upstream, as: as ?? null }));
  return createRoutes(settings, rules);
}

function keyOf({ api_key, api_key_env }: UpstreamEntry, env: Environment): string | null {
  return api_key ?? (api_key_env === undefined ? null : (env[api_key_env]?.trim() ?? null));
}

/** Headers that the client or HTTP sets for each request. */
const RESERVED_HEADERS = [
  "accept-encoding",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "idempotency-key",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
];

/** The characters that a header's value, and therefore an API key, may have. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Returns the faults of entries that match the schema: addresses, keys, headers, names. Entries that do not match it
 * are skipped, so that both kinds of fault appear in one report. `env` has the variables that `api_key_env` names.
 */
function meaningFaults(file: unknown, env: Environment, place: Place): RouteFault[] {
  const { upstreams, models } = entriesOf(file);
  const names = upstreams.map(([name]) => name);
  const faults = [
    ...upstreams.flatMap(([name, entry]) => (isUpstream(entry) ? upstreamFaults(name, entry, env, place) : [])),
    ...(models ?? []).flatMap(([pattern, route]) => (isRoute(route) ? routeFaults(pattern, route, names, place) : [])),
  ];
  if (models === null && names.length > 1) {
    faults.push({ where: "models", got: "nothing", expected: "routes, because there is more than one upstream" });
  }
  return faults;
}

interface Entries {
  readonly upstreams: [string, unknown][];
  readonly models: [string, unknown][] | null;
}

function entriesOf(file: unknown): Entries {
  const { upstreams, models } = (file ?? {}) as { upstreams?: unknown; models?: unknown };
  return { upstreams: listEntries(upstreams), models: models === undefined ? null : listEntries(models) };
}

function listEntries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function upstreamFaults(name: string, entry: UpstreamEntry, env: Environment, place: Place): RouteFault[] {
  const at: Place = (path) => place(["upstreams", name, ...path]);
  const faults: RouteFault[] = [];
  if (!isBaseUrl(entry.base_url)) {
    faults.push({ ...at(["base_url"]), got: show([], entry.base_url), expected: BASE_URL_EXPECTED });
  }
  return [...faults, ...keyFaults(entry, env, at), ...headerFaults(entry, at)];
}

function keyFaults(entry: UpstreamEntry, env: Environment, at: Place): RouteFault[] {
  const { api_key, api_key_env } = entry;
  if (api_key !== undefined && api_key_env !== undefined) {
    return [{ ...at(["api_key_env"]), got: "both api_key and api_key_env", expected: "one of the two" }];
  }
  if (api_key_env !== undefined && !env[api_key_env]?.trim()) {
    const got = `${api_key_env}, which is not set`;
    return [{ ...at(["api_key_env"]), got, expected: "a variable that holds the API key" }];
  }
  const where = api_key === undefined ? "api_key_env" : "api_key";
  if (HEADER_VALUE.test(keyOf(entry, env) ?? "")) return [];
  return [{ ...at([where]), got: "characters that a header must not have", expected: "a key on one line" }];
}

function headerFaults({ headers = {}, api_key, api_key_env }: UpstreamEntry, at: Place): RouteFault[] {
  const hasKey = api_key !== undefined || api_key_env !== undefined;
  return Object.entries(headers).flatMap(([name, value]): RouteFault[] => {
    const where = at(["headers", name]);
    if (RESERVED_HEADERS.includes(name.toLowerCase())) {
      return [{ ...where, got: "a header that Nightshift sets itself", expected: "another header" }];
    }
    if (hasKey && name.toLowerCase() === "authorization") {
      return [{ ...where, got: "both authorization and an API key", expected: "one of the two" }];
    }
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      return [{ ...where, got: "characters that a header name must not have", expected: "a header name" }];
    }
    if (!HEADER_VALUE.test(value)) {
      return [{ ...where, got: "characters that a header must not have", expected: "one line of Latin-1 text" }];
    }
    return [];
  });
}

function routeFaults(pattern: string, route: RouteEntry, names: readonly string[], place: Place): RouteFault[] {
  if (names.includes(route.upstream)) return [];
  const where = place(["models", pattern, "upstream"]);
  return [{ ...where, got: show([], route.upstream), expected: `one of ${names.join(", ")}` }];
}
