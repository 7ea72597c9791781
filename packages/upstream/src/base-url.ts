/** The address of an upstream: which ones are sound, and where an endpoint lies below one. */

/** What a base URL has to be, as said to an operator. */
export const BASE_URL_EXPECTED =
  "an http or https URL that ends in /v1 or the like, without user name, password or #fragment";

/** True for what BASE_URL_EXPECTED describes, but for its path, which may be any. */
export function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  return isHttp && url.username === "" && url.password === "" && url.hash === "";
}

/** The path and query of `endpoint` (`/v1/x`) below `base`, which stands for `/v1`. */
export function pathBelow(base: URL, endpoint: string): string {
  if (!endpoint.startsWith("/v1/")) throw new Error(`not an endpoint: ${endpoint}`);
  return base.pathname.replace(/\/+$/, "") + endpoint.slice("/v1".length) + base.search;
}
