/** Generates API keys, and derives the parts of a key that are stored. */
import type { NewKey } from "@nightshift/db";
import type { RandomBytes } from "@nightshift/domain";
import { hashKey } from "./middleware/authenticate.ts";

/** The number of characters of a key that lists and logs may show. For a short key, at most a third of it is shown. */
const HINT_LENGTH = 16;

/** Returns a new key: `sk-nightshift-` and 256 random bits. */
export function newApiKey(random: RandomBytes): string {
  return `sk-nightshift-${Buffer.from(random(32)).toString("base64url")}`;
}

/** Returns the stored form of a key: its hash, and its first characters as a hint. */
export function describeKey(tenant: string, key: string): NewKey {
  const hint = key.slice(0, Math.min(HINT_LENGTH, Math.floor(key.length / 3)));
  return { tenant, hash: hashKey(key), hint };
}
