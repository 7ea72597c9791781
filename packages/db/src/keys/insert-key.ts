/** Writes API keys: hashes only, a key itself is never stored. */
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface NewKey {
  tenant: string;
  /** SHA-256 of the key. */
  hash: Uint8Array;
  /** The key's first characters, to tell it from others in lists and logs. */
  hint: string;
}

/** Any number, the same in every process: those that find no key at all wait here for each other. */
const FIRST_KEY_LOCK = 7_319_004_212;

/** Adds a key, and its tenant where that is new. False where this key exists; one that was revoked stays revoked. */
export async function insertKey(db: Db, key: NewKey): Promise<boolean> {
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
    return rows[0]?.hasKeys === true ? false : insertInTx(tx, await make());
  });
}

async function insertInTx(tx: Queryable, key: NewKey): Promise<boolean> {
  await tx.query("/* keys.tenant */ insert into tenants (id) values ($1) on conflict (id) do nothing", [key.tenant]);
  const { rowCount } = await tx.query(
    `/* keys.insert */
    insert into api_keys (tenant, hash, hint) values ($1, $2, $3) on conflict (hash) do nothing`,
    [key.tenant, key.hash, key.hint],
  );
  return rowCount === 1;
}
