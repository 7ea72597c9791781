/** Creates databases on the test server: empty ones, or clones of the migrated template. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { databaseNamePrefix } from "./database-name.ts";
import { testServices } from "./test-services.ts";

/** Creates a database on the test server and returns its URL. It is empty, or a clone of the migrated template. */
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

/** Exempts a database from being dropped at the end of the run. */
export async function keepDatabase(url: string): Promise<void> {
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
