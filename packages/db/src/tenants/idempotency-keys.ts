/**
 * Idempotency keys. The transaction that creates an object also binds its key, so a key always stands for a whole
 * request.
 */
import type { Tx, Queryable } from "../pool.ts";

export interface KeyClaim {
  readonly tenant: string;
  /** A key belongs to one operation: the same key can upload a file and create its batch. */
  readonly operation: "create_batch" | "create_file";
  readonly key: string;
  /** The SHA-256 of the request. */
  readonly requestHash: Buffer;
  /** The id of the object that this transaction creates. */
  readonly objectId: string;
  /** The time from which the key can be used for another request. */
  readonly expiresAt: Date;
}

/** Why a key could not be claimed. */
export type KeyConflict =
  /** The same request was made with this key before, and created this object. */
  | { readonly kind: "made"; readonly objectId: string }
  /** Another request was made with this key. */
  | { readonly kind: "other_request" }
  /** Another transaction is creating its object with this key right now. */
  | { readonly kind: "under_way" };

/** Thrown to roll back a transaction that could not claim the key. */
export class KeyConflictError extends Error {
  override readonly name = "KeyConflictError";
  readonly conflict: KeyConflict;

  constructor(conflict: KeyConflict) {
    super(`the idempotency key is taken: ${conflict.kind}`);
    this.conflict = conflict;
  }
}

/**
 * Binds the key to its object, within the transaction that inserts the object. Throws KeyConflictError if the key is
 * taken. A key is free if it is new, if it has expired at `now`, or if the tenant no longer has its object.
 */
export async function claimKey(tx: Tx, claim: KeyClaim, now: Date): Promise<void> {
  const { tenant, operation, key } = claim;
  // Do not wait for the lock: a client that repeats a running request would hold one of the pool's few connections.
  const { rows: locks } = await tx.query<{ isMine: boolean }>(
    `/* idempotency.lock */
    select pg_try_advisory_xact_lock(
      hashtextextended(jsonb_build_array('idempotency', $1::text, $2::text, $3::text)::text, 0)) as "isMine"`,
    [tenant, operation, key],
  );
  if (locks[0]?.isMine !== true) throw new KeyConflictError({ kind: "under_way" });

  const { rowCount } = await tx.query(
    `/* idempotency.claim */
    insert into idempotency_keys as k (tenant, operation, key, request_hash, object_id, expires_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (tenant, operation, key) do update
      set request_hash = excluded.request_hash, object_id = excluded.object_id, expires_at = excluded.expires_at
      where k.expires_at <= $7 or not (case k.operation
        when 'create_batch' then exists (select 1 from batches b where b.tenant = k.tenant and b.id = k.object_id)
        else exists (select 1 from files f where f.tenant = k.tenant and f.id = k.object_id and f.deleted_at is null
          and (f.expires_at is null or f.expires_at > $7)) end)`,
    [tenant, operation, key, claim.requestHash, claim.objectId, claim.expiresAt, now],
  );
  if (rowCount === 0) throw new KeyConflictError(await conflictOf(tx, claim));
}

async function conflictOf(tx: Tx, { tenant, operation, key, requestHash }: KeyClaim): Promise<KeyConflict> {
  const { rows } = await tx.query<{ requestHash: Buffer; objectId: string }>(
    `/* idempotency.find */
    select request_hash as "requestHash", object_id as "objectId" from idempotency_keys
    where tenant = $1 and operation = $2 and key = $3`,
    [tenant, operation, key],
  );
  const [found] = rows;
  // Maintenance deleted the key between the two statements.
  if (found === undefined) return { kind: "under_way" };
  if (!found.requestHash.equals(requestHash)) return { kind: "other_request" };
  return { kind: "made", objectId: found.objectId };
}

/** Deletes up to `limit` keys that have expired at `now`. Returns the number of deleted keys. */
export async function sweepKeys(db: Queryable, now: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* idempotency.sweep */
    delete from idempotency_keys where (tenant, operation, key) in (
      select tenant, operation, key from idempotency_keys where expires_at <= $1
      order by expires_at limit $2 for update skip locked)`,
    [now, limit],
  );
  return rowCount ?? 0;
}
