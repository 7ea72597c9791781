/** Finds the tenant of a request by its API key. */
import { createHash } from "node:crypto";
import { type Db, findKey, type KeyView } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import type { Request } from "express";
import { LRUCache } from "lru-cache";

/** The time for which a revoked key can still work. */
const CACHE_MS = 5_000;

/** More keys than one API process sees in 5 s. Beyond this number, the least recently used key is looked up again. */
const MAX_CACHED_KEYS = 10_000;

/**
 * Returns the tenant of the request's key. Rejects with a RequestError of contract §5.2 if the key is missing or wrong.
 */
export type Authenticate = (request: Request) => Promise<string>;

/** Returns the SHA-256 of a key, as stored. Keys are random, so a slow hash is not needed. */
export function hashKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** The key id of each authenticated request. */
const keysOfRequests = new WeakMap<Request, string>();

/** Returns the id of the API key of an authenticated request, as in the admin API, or null for any other request. */
export function keyIdOf(request: Request): string | null {
  return keysOfRequests.get(request) ?? null;
}

/** Returns the token of `Authorization: Bearer …` (the scheme is case-insensitive), or undefined. */
export function bearerOf({ headers }: Pick<Request, "headers">): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}

/** Returns the bearer token, or else the `api-key` header, which Azure's clients send (contract §6). */
function readKey(request: Pick<Request, "headers">): string | undefined {
  const azure = request.headers["api-key"];
  return bearerOf(request) ?? (typeof azure === "string" && azure !== "" ? azure : undefined);
}

export interface KeyRing {
  readonly authenticate: Authenticate;
  /** Clears the cache, so that a revoked key stops working in this process at once. */
  readonly forgetKeys: () => void;
}

/** Looks keys up in Postgres, and caches valid keys for 5 s. Invalid keys are looked up each time. */
export function createKeyRing(deps: { readonly db: Db; readonly clock: () => Date }): KeyRing {
  const now = (): number => deps.clock().getTime();
  const cache = new LRUCache<string, KeyView>({
    max: MAX_CACHED_KEYS,
    // lru-cache still returns an entry whose age equals its ttl.
    ttl: CACHE_MS - 1,
    ttlResolution: 0,
    perf: { now },
  });

  const authenticate: Authenticate = async (request) => {
    const key = readKey(request);
    if (key === undefined) throw errors.noApiKey();
    const hash = hashKey(key);
    const cacheKey = hash.toString("base64");
    const known = cache.get(cacheKey);
    if (known !== undefined) {
      keysOfRequests.set(request, known.id);
      return known.tenant;
    }

    const start = now();
    const found = await findKey(deps.db, hash);
    if (found === null) throw errors.wrongApiKey(key);
    cache.set(cacheKey, found, { start });
    keysOfRequests.set(request, found.id);
    return found.tenant;
  };
  return {
    authenticate,
    forgetKeys: () => {
      cache.clear();
    },
  };
}
