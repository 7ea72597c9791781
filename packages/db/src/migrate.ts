/**
 * Migrates the schema: numbered files, forward only. Every process runs this at its start; the first process applies
 * the missing files.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Db, Tx } from "./pool.ts";
import { withTx } from "./tx.ts";

const FOLDER = new URL("../migrations/", import.meta.url);

/**
 * An arbitrary number, the same in every process. Processes that start at the same time wait here for the first one.
 */
const MIGRATION_LOCK = 7_319_004_211;

/** Thrown if a newer release has made a breaking change to the schema. The message says what to do. */
export class SchemaTooNewError extends Error {
  override readonly name = "SchemaTooNewError";
}

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly hash: string;
  readonly isBreaking: boolean;
}

/**
 * Applies the missing migrations, in one transaction under an advisory lock. Throws SchemaTooNewError if a newer
 * release has made a breaking change, and an Error if a file was edited after it was applied.
 */
export async function migrate(db: Db): Promise<{ applied: number }> {
  const known = await readMigrations();
  return withTx(db, async (tx) => {
    // The migrations of another process may take longer than the pool's lock timeout.
    await tx.query("set local lock_timeout = 0");
    await tx.query("/* migrate.lock */ select pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await tx.query(`/* migrate.ledger */ create table if not exists migrations (
      number integer primary key, name text not null, hash text not null, breaking boolean not null,
      applied_at timestamptz not null default now())`);
    const applied = await appliedMigrations(tx);
    refuseIfTooNew(known, applied);
    const pending = known.filter((migration) => !applied.has(migration.number));
    for (const migration of pending) await applyMigration(tx, migration);
    return { applied: pending.length };
  });
}

interface AppliedMigration {
  number: number;
  name: string;
  hash: string;
  breaking: boolean;
}

async function appliedMigrations(tx: Tx): Promise<Map<number, AppliedMigration>> {
  const { rows } = await tx.query<AppliedMigration>(
    "/* migrate.applied */ select number, name, hash, breaking from migrations order by number",
  );
  return new Map(rows.map((row) => [row.number, row]));
}

function refuseIfTooNew(known: readonly Migration[], applied: ReadonlyMap<number, AppliedMigration>): void {
  const byNumber = new Map(known.map((migration) => [migration.number, migration]));
  for (const row of applied.values()) {
    const ours = byNumber.get(row.number);
    if (ours === undefined && row.breaking) {
      throw new SchemaTooNewError(
        `The database has the migration ${row.name} of a newer release, which this release cannot work with. ` +
          "Start the newer release.",
      );
    }
    if (ours !== undefined && ours.hash !== row.hash) {
      throw new Error(`The migration ${row.name} was changed after it was applied to this database.`);
    }
  }
}

async function applyMigration(tx: Tx, migration: Migration): Promise<void> {
  await tx.query(migration.sql);
  await tx.query("/* migrate.insert */ insert into migrations (number, name, hash, breaking) values ($1, $2, $3, $4)", [
    migration.number,
    migration.name,
    migration.hash,
    migration.isBreaking,
  ]);
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, FOLDER), "utf8");
      const breaking = /^-- breaking: (no|yes)/.exec(sql);
      if (!breaking)
        throw new Error(`The first line of migration ${name} must say "-- breaking: no" or "-- breaking: yes".`);
      return {
        number: Number(name.slice(0, 4)),
        name,
        sql,
        hash: createHash("sha256").update(sql).digest("hex"),
        isBreaking: breaking[1] === "yes",
      };
    }),
  );
}
