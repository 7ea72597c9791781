/** Ids as they come from clients, before any store is asked for them. */

/**
 * False for text that cannot be an id of ours, so that nothing odd (a NUL, which Postgres refuses in text) travels on.
 * More is not looked at: a well-shaped id may still name nothing.
 */
export function isObjectId(text: string): boolean {
  return /^[\w.-]{1,128}$/.test(text);
}

/** The path parameter `name`; the empty string, which is no id, where the route has none. */
export function idFromPath(params: Readonly<Record<string, string | string[]>>, name: string): string {
  const value = params[name];
  return typeof value === "string" ? value : "";
}
