/** Finds the upstream that serves a model, and the model's name there. */
import type { UpstreamSettings } from "./settings.ts";

/** The route of one model. */
export interface Route {
  /** The name of the upstream. */
  readonly upstream: string;
  /** The model's name at the upstream. It is the requested name unless the route rewrites it. */
  readonly model: string;
}

export interface Routes {
  /** The upstreams in the order of the configuration, at least one. */
  readonly upstreams: readonly UpstreamSettings[];
  /**
   * Returns the route that names the model, else the route with the longest matching prefix, else `*`. Returns null if
   * no route matches.
   */
  resolve(model: string): Route | null;
}

/** One entry of `models`: `pattern` is a model, a prefix ending in `*`, or `*`; `as` may contain `{model}`. */
export interface RouteRule {
  readonly pattern: string;
  readonly upstream: string;
  readonly as: string | null;
}

/** Creates routes from valid rules: no pattern occurs twice, and every upstream is among `upstreams`. */
export function createRoutes(upstreams: readonly UpstreamSettings[], rules: readonly RouteRule[]): Routes {
  const exact = new Map(rules.filter((rule) => !rule.pattern.endsWith("*")).map((rule) => [rule.pattern, rule]));
  // `*` is the empty prefix, so sorting by length puts it last.
  const prefixes = rules
    .filter((rule) => rule.pattern.endsWith("*"))
    .map((rule) => ({ prefix: rule.pattern.slice(0, -1), rule }))
    .sort((a, b) => b.prefix.length - a.prefix.length);

  return {
    upstreams,
    resolve(model) {
      const rule = exact.get(model) ?? prefixes.find(({ prefix }) => model.startsWith(prefix))?.rule;
      if (rule === undefined) return null;
      // The replacement is a function, because `$&` in a model's name must not act as a replacement pattern.
      return { upstream: rule.upstream, model: rule.as?.replaceAll("{model}", () => model) ?? model };
    },
  };
}
