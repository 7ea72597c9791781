/** Which upstream serves a model, and under which name it knows it. */
import type { UpstreamSettings } from "./settings.ts";

/** Where one model goes. */
export interface Route {
  /** Name of the upstream. */
  readonly upstream: string;
  /** The model's name there. Equal to the one asked for unless the route rewrites it. */
  readonly model: string;
}

export interface Routes {
  /** In the order of the configuration; never empty. */
  readonly upstreams: readonly UpstreamSettings[];
  /**
   * Exactly one route wins: the one that names the model, else the longest prefix that it begins with, else `*`.
   * Null where no route knows the model.
   */
  resolve(model: string): Route | null;
}

/** One entry of `models`: `pattern` is a model, a prefix ending in `*`, or `*`; `as` may contain `{model}`. */
export interface RouteRule {
  readonly pattern: string;
  readonly upstream: string;
  readonly as: string | null;
}

/** Routes from rules that are known to be sound: no pattern twice, each upstream among `upstreams`. */
export function createRoutes(upstreams: readonly UpstreamSettings[], rules: readonly RouteRule[]): Routes {
  const exact = new Map(rules.filter((rule) => !rule.pattern.endsWith("*")).map((rule) => [rule.pattern, rule]));
  // `*` is the empty prefix, so sorting by length makes it the last resort.
  const prefixes = rules
    .filter((rule) => rule.pattern.endsWith("*"))
    .map((rule) => ({ prefix: rule.pattern.slice(0, -1), rule }))
    .sort((a, b) => b.prefix.length - a.prefix.length);

  return {
    upstreams,
    resolve(model) {
      const rule = exact.get(model) ?? prefixes.find(({ prefix }) => model.startsWith(prefix))?.rule;
      if (rule === undefined) return null;
      // The replacement is a function because `$&` in a model's name is not a pattern.
      return { upstream: rule.upstream, model: rule.as?.replaceAll("{model}", () => model) ?? model };
    },
  };
}
