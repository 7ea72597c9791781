/** The services that all other tests rely on. */
import { expect, test } from "@jest/globals";
import { createDatabase, testServices, useDatabase } from "@nightshift/testing";
import pg from "pg";

const database = useDatabase();

test("gives each test file its own database with the migrated schema", async () => {
  const { rows } = await database.db().query("select name from migrations");

  expect(rows).not.toHaveLength(0);
});

test("creates an empty database without the template", async () => {
  const client = new pg.Client({ connectionString: await createDatabase({ migrated: false }) });
  await client.connect();

  const { rows } = await client.query("select 1 from information_schema.tables where table_schema = 'public'");
  await client.end();

  expect(rows).toEqual([]);
});

test("tells tests the addresses of the services", () => {
  const services = testServices();

  expect(new URL(services.databaseUrl).protocol).toMatch(/^postgres/);
  expect(services.redisUrl === null || services.redisUrl.startsWith("redis")).toBe(true);
  expect(services.s3 === null || services.s3.endpoint.startsWith("http")).toBe(true);
});
