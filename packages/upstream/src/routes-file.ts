/** Reads the YAML file of upstreams and routes, and says of each fault where it is. */
import type { Tiers } from "@nightshift/domain";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { RoutesError } from "./routes-error.ts";
import { type Environment, meaningFaults } from "./routes-file-meaning.ts";
import { isRoutesFile, type RoutesFile } from "./routes-file-schema.ts";
import { type Place, shapeFaults } from "./routes-file-shape.ts";
import { createRoutes, type Routes } from "./routes.ts";
import { DEFAULTS, type UpstreamSettings } from "./settings.ts";
import { buildTiers, tierFaults } from "./tiers-file.ts";

/**
 * Reads the text of a routes file. `source` is its path, for messages. Throws RoutesError with all faults that can be
 * seen together: those of the YAML, or, where there are none, all others.
 */
export function parseRoutes(text: string, source: string, env: Environment): Routes {
  return build(parseFile(text, source, env), env);
}

/** The section `tiers` of the same file; throws as parseRoutes does. */
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

/** The line of what stands at `path`, or of the nearest thing around it that is there. */
function lineOf(document: Document, lineCounter: LineCounter, path: readonly string[]): number | undefined {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
  return path.length === 0 ? undefined : lineOf(document, lineCounter, path.slice(0, -1));
}

function build({ upstreams, models }: RoutesFile, env: Environment): Routes {
  const settings = Object.entries(upstreams).map(([name, entry]): UpstreamSettings => ({
    name,
    baseUrl: entry.base_url,
    apiKey: entry.api_key ?? (entry.api_key_env === undefined ? null : (env[entry.api_key_env]?.trim() ?? null)),
    concurrency: entry.concurrency ?? DEFAULTS.concurrency,
    requestsPerMinute: entry.requests_per_minute ?? null,
    timeoutMs: (entry.timeout_seconds ?? DEFAULTS.timeoutSeconds) * 1000,
    maxAttempts: entry.max_attempts ?? DEFAULTS.maxAttempts,
    sliceLines: entry.slice_lines ?? null,
    headers: entry.headers ?? {},
  }));
  const rules =
    models === undefined
      ? settings.map(({ name }) => ({ pattern: "*", upstream: name, as: null }))
      : Object.entries(models).map(([pattern, { upstream, as }]) => ({ pattern, upstream, as: as ?? null }));
  return createRoutes(settings, rules);
}
