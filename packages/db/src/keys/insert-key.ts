/** Writes API keys: hashes only, a key itself is never stored. */
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";
import { KEY_COLUMNS, type KeyRow } from "./list-keys.ts";

export interface NewKey {
  tenant: string;
  /** SHA-256 of the key. */
  hash: Uint8Array;
  /** The key's first characters, to tell it from others in lists and logs. */
  hint: string;
  /** What its maker calls it. */
  name?: string;
}

/** Any number, the same in every process: those that find no key at all wait here for each other. */
const FIRST_KEY_LOCK = 7_319_004_212;

/** Adds a key, and its tenant if that is new. Returns null if the key exists; a revoked key stays revoked. */
export async function insertKey(db: Db, key: NewKey): Promise<KeyRow | null> {
  return withTx(db, (tx) => insertInTx(tx, key));
}

/**
 * Adds the key that `make` returns if there has never been any, and tells whether it did. `make` runs before the commit,
 * so that it can bring the key to safety first: after a crash in between there is no key that nobody knows.
 */
export async function insertFirstKey(db: Db, make: () => Promise<NewKey>): Promise<boolean> {
  return withTx(db, async (tx) => {
    await tx.query("/* keys.first_lock */ select pg_advisory_xact_lock($1)", [FIRST_KEY_LOCK]);
    const { rows } = await tx.query<{ hasKeys: boolean }>(
      `/* keys.any */ select exists (select 1 from api_keys) as "hasKeys"`,
    );
    return rows[0]?.hasKeys !== true && (await insertInTx(tx, await make())) !== null;
  });
}

async function insertInTx(tx: Queryable, key: NewKey): Promise<KeyRow | null> {
  await tx.query("/* keys.tenant */ insert into tenants (id) values ($1) on conflict (id) do nothing", [key.tenant]);
  const { rows } = await tx.query<KeyRow>(
    `/* keys.insert */
    insert into api_keys (tenant, hash, hint, name) values ($1, $2, $3, $4)
    on conflict (hash) do nothing returning ${KEY_COLUMNS}`,
    [key.tenant, key.hash, key.hint, key.name ?? null],
  );
  return rows[0] ?? null;
}
