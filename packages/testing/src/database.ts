/** Databases for tests: each file has one of its own, cloned from a migrated template. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll } from "@jest/globals";
import { type Db, openDb } from "@nightshift/db";
import pg from "pg";
import { databaseNamePrefix } from "./database-name.ts";
import { hasFailedTest } from "./failed-file.ts";
import { testServices } from "./test-services.ts";

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

/** Makes a database on the test server and returns its address: empty, or a clone of the migrated template. */
export async function createDatabase({ migrated }: { migrated: boolean }): Promise<string> {
  const { databaseUrl, databaseTemplate, runId } = testServices();
  const name = `${databaseNamePrefix(runId)}${randomBytes(6).toString("hex")}`;
  await onServer(
    databaseUrl,
    `create database ${name} ${migrated ? `template ${databaseTemplate} strategy file_copy` : ""}`,
  );
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Sets a database apart from those that are dropped at the end of the run. */
async function keepDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await onServer(testServices().databaseUrl, `comment on database ${name} is 'kept: a test failed'`);
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The database is there from beforeAll on: use it inside tests and hooks.");
  return value;
}
