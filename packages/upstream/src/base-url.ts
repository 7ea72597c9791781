/** The base URL of an upstream: its validation, and the path of an endpoint below it. */

/** The rule for a base URL, as operators see it in messages. */
export const BASE_URL_EXPECTED =
  "an http or https URL that ends in /v1 or similar, without user name, password or #fragment";

/** Reports whether `value` follows BASE_URL_EXPECTED. Any path is accepted. */
export function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  return isHttp && url.username === "" && url.password === "" && url.hash === "";
}

/**
 * Returns the path and query for `endpoint`, whose leading `/v1` is replaced by the path of `base`. The query is the
 * query of `base`.
 */
export function pathBelow(base: URL, endpoint: string): string {
  if (!endpoint.startsWith("/v1/")) throw new Error(`not an endpoint: ${endpoint}`);
  return base.pathname.replace(/\/+$/, "") + endpoint.slice("/v1".length) + base.search;
}
