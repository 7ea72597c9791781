/** Tells whose request it is, by its API key. */
import { createHash } from "node:crypto";
import { type Db, findKey } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import type { Request } from "express";
import { LRUCache } from "lru-cache";

/** A revoked key works for at most this long. */
const CACHE_MS = 5_000;

/** More keys than one API process sees in 5 s; beyond it the one that was not used for longest is looked up again. */
const MAX_CACHED_KEYS = 10_000;

/** The tenant of the request's key; throws the RequestErrors of contract §5.2 where there is none. */
export type Authenticate = (request: Request) => Promise<string>;

/** SHA-256 of a key, as it is stored: keys are random, so no slow hash is needed. */
export function hashKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** What a request carries as `Authorization: Bearer …`, the scheme in any case; undefined where it carries nothing. */
export function bearerOf({ headers }: Pick<Request, "headers">): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}

export interface KeyRing {
  readonly authenticate: Authenticate;
  /** Makes this process look every key up again: one was revoked. */
  readonly forgetKeys: () => void;
}

/** Looks keys up in Postgres, and remembers good ones for 5 s. Wrong ones are looked up each time. */
export function createKeyRing(deps: { readonly db: Db; readonly clock: () => Date }): KeyRing {
  const now = (): number => deps.clock().getTime();
  const tenants = new LRUCache<string, string>({
    max: MAX_CACHED_KEYS,
    // What is as old as its ttl is still good to lru-cache.
    ttl: CACHE_MS - 1,
    ttlResolution: 0,
    perf: { now },
  });

  const authenticate: Authenticate = async (request) => {
    const key = bearerOf(request);
    if (key === undefined) throw errors.noApiKey();
    const hash = hashKey(key);
    const cacheKey = hash.toString("base64");
    const known = tenants.get(cacheKey);
    if (known !== undefined) return known;

    const start = now();
    const found = await findKey(deps.db, hash);
    if (found === null) throw errors.wrongApiKey(key);
    tenants.set(cacheKey, found.tenant, { start });
    return found.tenant;
  };
  return {
    authenticate,
    forgetKeys: () => {
      tenants.clear();
    },
  };
}
