/**
 * The `Idempotency-Key` request header of POST /v1/batches and POST /v1/files: ours, docs/extensions.md and ADR 0022.
 * Without the header none of this runs.
 */
import { createHash } from "node:crypto";
import { claimKey, type KeyClaim, KeyConflictError, type Tx } from "@nightshift/db";
import { errors, IDEMPOTENCY_KEY } from "@nightshift/domain";
import type { Request, Response } from "express";

const HEADER = "idempotency-key";

/** 1 to 255 visible ASCII characters. Several headers of that name arrive joined by `, `, and are refused for the space. */
const KEY = new RegExp(`^[!-~]{1,${String(IDEMPOTENCY_KEY.maxLength)}}$`);

/** The request's key; null where it has none. Throws the RequestError of one that is not 1 to 255 visible ASCII characters. */
export function readIdempotencyKey(request: Pick<Request, "headers">): string | null {
  const value = request.headers[HEADER];
  if (value === undefined) return null;
  if (typeof value !== "string" || !KEY.test(value)) {
    throw errors.outOfRange(
      "Idempotency-Key",
      `the header must be 1 to ${String(IDEMPOTENCY_KEY.maxLength)} visible ASCII characters, without spaces`,
    );
  }
  return value;
}

/** SHA-256 of JSON values, with the keys of objects sorted and nulls left out: how a client spells a request does not count. */
export function hashRequest(...values: readonly unknown[]): Buffer {
  return createHash("sha256")
    .update(JSON.stringify(canonical(values)))
    .digest();
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .filter(([, member]) => member !== null && member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, canonical(member)]);
}

/** A request that carries a key, as far as it is known before anything is written. */
export type KeyedRequest = Omit<KeyClaim, "expiresAt">;

/** Claims the key for a day from `now`, within the transaction that makes its object. */
export function claimFor(request: KeyedRequest, now: Date): (tx: Tx) => Promise<void> {
  const expiresAt = new Date(now.getTime() + IDEMPOTENCY_KEY.keptSeconds * 1000);
  return (tx) => claimKey(tx, { ...request, expiresAt }, now);
}

/**
 * What the key made before, as `find` reads it now, with `idempotency-replayed: true` on the reply; rethrows what is no
 * conflict of keys. Throws a 409 where the key was another request's, or is being used at this moment.
 */
export async function replay<T>(
  response: Response,
  error: unknown,
  find: (objectId: string) => Promise<T | null>,
): Promise<T> {
  if (!(error instanceof KeyConflictError)) throw error;
  const { conflict } = error;
  if (conflict.kind === "other_request") {
    // The SDKs repeat a 409 by default (contract §5.3), and nothing would change.
    response.setHeader("x-should-retry", "false");
    throw errors.idempotencyKeyReused();
  }
  const made = conflict.kind === "made" ? await find(conflict.objectId) : null;
  if (made === null) {
    response.setHeader("x-should-retry", "true");
    throw errors.idempotencyKeyInUse();
  }
  response.setHeader("idempotency-replayed", "true");
  return made;
}
