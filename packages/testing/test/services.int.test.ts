/** The services that every other test relies on: there, separate for each file, and gone afterwards. */
import { expect, test } from "@jest/globals";
import { createDatabase, testServices, useDatabase } from "@nightshift/testing";
import pg from "pg";

const database = useDatabase();

test("a test file has a database of its own with the migrated schema", async () => {
  const { rows } = await database.db().query("select name from migrations");

  expect(rows).not.toHaveLength(0);
});

test("a database made without the template is empty", async () => {
  const client = new pg.Client({ connectionString: await createDatabase({ migrated: false }) });
  await client.connect();

  const { rows } = await client.query("select 1 from information_schema.tables where table_schema = 'public'");
  await client.end();

  expect(rows).toEqual([]);
});

test("the services name themselves to tests", () => {
  const services = testServices();

  expect(new URL(services.databaseUrl).protocol).toMatch(/^postgres/);
  expect(services.redisUrl === null || services.redisUrl.startsWith("redis")).toBe(true);
  expect(services.s3 === null || services.s3.endpoint.startsWith("http")).toBe(true);
});
