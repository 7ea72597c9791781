/** Tells whose request it is, by its API key. */
import { createHash } from "node:crypto";
import { type Db, findKey, type KeyView } from "@nightshift/db";
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

/** By request that was let in: its key. */
const keysOfRequests = new WeakMap<Request, string>();

/** The id of the API key that the request was let in with, as the admin API names it; null where it had none. */
export function keyIdOf(request: Request): string | null {
  return keysOfRequests.get(request) ?? null;
}

/** What a request carries as `Authorization: Bearer …`, the scheme in any case; undefined where it carries nothing. */
export function bearerOf({ headers }: Pick<Request, "headers">): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}

/** The bearer token; without one, the `api-key` that Azure's clients send (contract §6). */
function readKey(request: Pick<Request, "headers">): string | undefined {
  const azure = request.headers["api-key"];
  return bearerOf(request) ?? (typeof azure === "string" && azure !== "" ? azure : undefined);
}

export interface KeyRing {
  readonly authenticate: Authenticate;
  /** Makes this process look every key up again: one was revoked. */
  readonly forgetKeys: () => void;
}

/** Looks keys up in Postgres, and remembers good ones for 5 s. Wrong ones are looked up each time. */
export function createKeyRing(deps: { readonly db: Db; readonly clock: () => Date }): KeyRing {
  const now = (): number => deps.clock().getTime();
  const cache = new LRUCache<string, KeyView>({
    max: MAX_CACHED_KEYS,
    // What is as old as its ttl is still good to lru-cache.
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
