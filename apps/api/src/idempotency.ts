/**
 * Implements the `Idempotency-Key` header of POST /v1/batches and POST /v1/files. OpenAI has no such header:
 * docs/extensions.md and ADR 0022. Without the header, none of this runs.
 */
import { createHash } from "node:crypto";
import { claimKey, type KeyClaim, KeyConflictError, type Tx } from "@nightshift/db";
import { errors, IDEMPOTENCY_KEY } from "@nightshift/domain";
import type { Request, Response } from "express";

const HEADER = "idempotency-key";

/** 1 to 255 visible ASCII characters. Node joins several headers of this name with `, `, and the space is refused. */
const KEY = new RegExp(`^[!-~]{1,${String(IDEMPOTENCY_KEY.maxLength)}}$`);

/**
 * Returns the request's key, or null if it has none. Throws a RequestError unless the key is 1 to 255 visible ASCII
 * characters.
 */
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

/**
 * Returns the SHA-256 of JSON values. Keys are sorted and nulls are left out, so two spellings of one request have the
 * same hash.
 */
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

/** A request with a key, before anything is written. */
export type KeyedRequest = Omit<KeyClaim, "expiresAt">;

/** Claims the key for a day from `now`. Call the result in the transaction that creates the object. */
export function claimFor(request: KeyedRequest, now: Date): (tx: Tx) => Promise<void> {
  const expiresAt = new Date(now.getTime() + IDEMPOTENCY_KEY.keptSeconds * 1000);
  return (tx) => claimKey(tx, { ...request, expiresAt }, now);
}

/**
 * Returns the object that an earlier request with the key created, in its current state, which `find` reads. Sets
 * `idempotency-replayed: true` on the reply. Throws a 409 if the key belongs to a different request, or if the earlier
 * request is still running. Rethrows an error that is not a key conflict.
 */
export async function replay<T>(
  response: Response,
  error: unknown,
  find: (objectId: string) => Promise<T | null>,
): Promise<T> {
  if (!(error instanceof KeyConflictError)) throw error;
  const { conflict } = error;
  if (conflict.kind === "other_request") {
    // The SDKs retry a 409 by default (contract §5.3), which cannot help here.
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
