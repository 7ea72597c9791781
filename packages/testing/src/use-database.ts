/** A database for each test file, cloned from the migrated template. */
import { afterAll, beforeAll } from "@jest/globals";
import { type Db, openDb } from "@nightshift/db";
import { createDatabase, keepDatabase } from "./database.ts";
import { hasFailedTest } from "./failed-file.ts";

/** The database of a test file, there from beforeAll on. */
export interface TestDatabase {
  /** A pool on it, closed after the file's last test. */
  db(): Db;
  url(): string;
}

/**
 * Gives the calling test file a migrated database of its own. It is not dropped here but at the end of the run: hooks run
 * in the order they were declared, so a file's own afterAll may still need it. That of a failed file stays, on a server
 * that outlives the run.
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
  if (value === undefined) throw new Error("The database is there from beforeAll on: use it inside tests and hooks.");
  return value;
}
