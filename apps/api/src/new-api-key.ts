/** API keys: how they are made, and what is kept of them. */
import type { NewKey } from "@nightshift/db";
import type { RandomBytes } from "@nightshift/domain";
import { hashKey } from "./middleware/authenticate.ts";

/** Characters of a key that may stand in lists and logs; of a short one no more than a third. */
const HINT_LENGTH = 16;

/** `sk-nightshift-` and 256 random bits. */
export function newApiKey(random: RandomBytes): string {
  return `sk-nightshift-${Buffer.from(random(32)).toString("base64url")}`;
}

/** What is stored of a key: its hash, and enough of its beginning to tell it from others. */
export function describeKey(tenant: string, key: string): NewKey {
  const hint = key.slice(0, Math.min(HINT_LENGTH, Math.floor(key.length / 3)));
  return { tenant, hash: hashKey(key), hint };
}
