/** Checks ids from clients before a store is queried. */

/**
 * Returns false for text that cannot be an id, such as text with a NUL, which Postgres refuses. True does not mean that
 * an object with this id exists.
 */
export function isObjectId(text: string): boolean {
  return /^[\w.-]{1,128}$/.test(text);
}

/** Returns the path parameter `name`, or the empty string (not a valid id) if the route does not have it. */
export function idFromPath(params: Readonly<Record<string, string | string[]>>, name: string): string {
  const value = params[name];
  return typeof value === "string" ? value : "";
}
