/**
 * Finds or starts Postgres for a test run: TEST_DATABASE_URL, or the embedded Postgres. It also migrates the database
 * that test files clone.
 */
import { rm } from "node:fs/promises";
import path from "node:path";
import { migrate, openDb } from "@nightshift/db";
import { startLocalPostgres } from "@nightshift/local-postgres";
import pg from "pg";
import { databaseNamePrefix } from "../database-name.ts";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { isDurable, type RunningService } from "./service.ts";

/** Starts Postgres, or uses the given server, and migrates the database that test files clone. */
export async function startPostgres(runId: string): Promise<RunningService> {
  const given = process.env["TEST_DATABASE_URL"];
  const server = given ? givenServer(given, runId) : await startThrowAway();
  try {
    const template = `${databaseNamePrefix(runId)}template`;
    await makeTemplate(server.url, template);
    return { variables: { TEST_DATABASE_URL: server.url, TEST_DATABASE_TEMPLATE: template }, stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

interface Server {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

async function startThrowAway(): Promise<Server> {
  const folder = await makeTemporaryFolder("postgres");
  // The data is needed for one run only, so a crash may lose it. Benchmarks need the settings of production.
  const settings = isDurable() ? {} : { fsync: "off", full_page_writes: "off", synchronous_commit: "off" };
  const server = await startLocalPostgres({ dir: path.join(folder, "cluster"), settings });
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Removes the databases of this run from a server that outlives the run, except for the databases of failed test files.
 */
function givenServer(url: string, runId: string): Server {
  return {
    url,
    stop: async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        const { rows } = await client.query<{ name: string }>(
          `select datname as name from pg_database
           where starts_with(datname, $1) and shobj_description(oid, 'pg_database') is null`,
          [databaseNamePrefix(runId)],
        );
        for (const { name } of rows) await client.query(`drop database if exists ${name} with (force)`);
      } finally {
        await client.end();
      }
    },
  };
}

async function makeTemplate(serverUrl: string, name: string): Promise<void> {
  await onServer(serverUrl, [`create database ${name}`]);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const db = openDb({ url: url.href, name: "test-template" });
  try {
    await migrate(db);
  } finally {
    await db.end(); // a database with connections cannot be cloned
  }
}

async function onServer(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
