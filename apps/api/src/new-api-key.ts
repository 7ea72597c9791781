/** Generates API keys, and decides what is stored of a key. */
import type { NewKey } from "@nightshift/db";
import type { RandomBytes } from "@nightshift/domain";
import { hashKey } from "./middleware/authenticate.ts";

/** How much of a key lists and logs may show. Of a short key it is at most a third. */
const HINT_LENGTH = 16;

/** A key of `sk-nightshift-` and 256 random bits. */
export function newApiKey(random: RandomBytes): string {
  return `sk-nightshift-${Buffer.from(random(32)).toString("base64url")}`;
}

/** What is stored of a key: its hash, and its first characters as a hint. */
export function describeKey(tenant: string, key: string): NewKey {
  const hint = key.slice(0, Math.min(HINT_LENGTH, Math.floor(key.length / 3)));
  return { tenant, hash: hashKey(key), hint };
}
