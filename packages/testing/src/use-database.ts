/** A database for each test file, cloned from the migrated template. */
import { afterAll, beforeAll } from "@jest/globals";
import { type Db, openDb } from "@nightshift/db";
import { createDatabase, keepDatabase } from "./database.ts";
import { hasFailedTest } from "./failed-file.ts";

/** The database of a test file. It exists from beforeAll on. */
export interface TestDatabase {
  /** A pool, which closes after the file's last test. */
  db(): Db;
  url(): string;
}

/**
 * Gives the calling test file its own migrated database. The teardown of the run drops the database. This file does not
 * drop it, because hooks run in the order of their declaration, and a later afterAll may still need the database. On a
 * server that outlives the run, the database of a failed file stays.
 */
export function useDatabase(): TestDatabase {
  let db: Db | undefined;
  let url: string | undefined;
  beforeAll(async () => {
    url = await createDatabase({ migrated: true });
    db = openDb({ url, name: "test" });
  });
  afterAll(async () => {
    await db?.end();
    if (url !== undefined && hasFailedTest()) await keepDatabase(url);
  });
  return {
    db: () => need(db),
    url: () => need(url),
  };
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The database exists from beforeAll on: use it inside tests and hooks.");
  return value;
}
