/** API keys. Only their hashes are stored, never the keys. */
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface KeyView {
  /** The id that the admin API shows. */
  id: string;
  tenant: string;
}

/** Returns null if no key has this SHA-256, or if the key was revoked. */
export async function findKey(db: Queryable, hash: Uint8Array): Promise<KeyView | null> {
  const { rows } = await db.query<KeyView>(
    "/* keys.find */ select public_id as id, tenant from api_keys where hash = $1 and revoked_at is null",
    [hash],
  );
  return rows[0] ?? null;
}

/** A key as an admin sees it: without the key and its hash. */
export interface KeyRow {
  /** The id that the admin API shows. */
  id: string;
  tenant: string;
  name: string | null;
  /** The key's first characters. */
  hint: string;
  createdAt: Date;
  revokedAt: Date | null;
}

const KEY_COLUMNS = `public_id as id, tenant, name, hint, created_at as "createdAt", revoked_at as "revokedAt"`;

/**
 * Returns a page of keys, newest first, of one tenant, or of all tenants if `tenant` is null. `after` is exclusive.
 * Returns null if `after` does not name a key in the list.
 */
export async function listKeys(
  db: Queryable,
  page: { tenant: string | null; limit: number; after: string | null },
): Promise<{ rows: KeyRow[]; hasMore: boolean } | null> {
  let before: number | null = null;
  if (page.after !== null) {
    const { rows } = await db.query<{ id: number }>(
      "/* keys.cursor */ select id from api_keys where public_id = $1 and ($2::text is null or tenant = $2)",
      [page.after, page.tenant],
    );
    if (rows[0] === undefined) return null;
    before = rows[0].id;
  }
  const { rows } = await db.query<KeyRow>(
    `/* keys.list */ select ${KEY_COLUMNS} from api_keys
    where ($1::text is null or tenant = $1) and ($2::bigint is null or api_keys.id < $2)
    order by api_keys.id desc limit $3`,
    [page.tenant, before, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}

export interface NewKey {
  tenant: string;
  /** The SHA-256 of the key. */
  hash: Uint8Array;
  /** The key's first characters, which identify it in lists and logs. */
  hint: string;
  name?: string;
}

/** An arbitrary number, the same in every process. Processes that find no keys wait here for each other. */
const FIRST_KEY_LOCK = 7_319_004_212;

/** Inserts a key, and its tenant if that is new. Returns null if the key exists. A revoked key stays revoked. */
export async function insertKey(db: Db, key: NewKey): Promise<KeyRow | null> {
  return withTx(db, (tx) => insertKeyAndTenant(tx, key));
}

/**
 * Inserts the key that `make` returns if there are no keys yet. Returns true if it inserted the key. `make` runs before
 * the commit, so that it can save the key first. Otherwise a crash between the commit and the save would lose the key.
 */
export async function insertFirstKey(db: Db, make: () => Promise<NewKey>): Promise<boolean> {
  return withTx(db, async (tx) => {
    await tx.query("/* keys.first_lock */ select pg_advisory_xact_lock($1)", [FIRST_KEY_LOCK]);
    const { rows } = await tx.query<{ hasKeys: boolean }>(
      `/* keys.any */ select exists (select 1 from api_keys) as "hasKeys"`,
    );
    return rows[0]?.hasKeys !== true && (await insertKeyAndTenant(tx, await make())) !== null;
  });
}

async function insertKeyAndTenant(tx: Queryable, key: NewKey): Promise<KeyRow | null> {
  await tx.query("/* keys.tenant */ insert into tenants (id) values ($1) on conflict (id) do nothing", [key.tenant]);
  const { rows } = await tx.query<KeyRow>(
    `/* keys.insert */
    insert into api_keys (tenant, hash, hint, name) values ($1, $2, $3, $4)
    on conflict (hash) do nothing returning ${KEY_COLUMNS}`,
    [key.tenant, key.hash, key.hint, key.name ?? null],
  );
  return rows[0] ?? null;
}

/** Revokes a key permanently. Returns false if no key has this id. A second call keeps the time of the first call. */
export async function revokeKey(db: Queryable, id: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* keys.revoke */
    update api_keys set revoked_at = coalesce(revoked_at, greatest($2::timestamptz, created_at)) where public_id = $1`,
    [id, now],
  );
  return rowCount === 1;
}
