/** Tests migrations: concurrent starts, edited files, newer releases, failures. */
import { afterEach, expect, test } from "@jest/globals";
import { createDatabase } from "@nightshift/testing";
import { type Db, migrate, openDb, SchemaTooNewError } from "../src/index.ts";

const open: Db[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.end()));
});

function connect(url: string): Db {
  const db = openDb({ url, max: 2, name: "test" });
  open.push(db);
  return db;
}

test("applies the migrations once when ten processes start on an empty database", async () => {
  const url = await createDatabase({ migrated: false });

  const outcomes = await Promise.all(Array.from({ length: 10 }, () => migrate(connect(url))));

  const { rows } = await connect(url).query<{ count: number }>("select count(*) from migrations");
  expect(rows[0]?.count).toBeGreaterThan(0);
  expect(outcomes.map(({ applied }) => applied).sort((a, b) => a - b)).toEqual([
    ...Array.from({ length: 9 }, () => 0),
    rows[0]?.count,
  ]);
});

test("does not change a migrated database", async () => {
  expect(await migrate(connect(await createDatabase({ migrated: true })))).toEqual({ applied: 0 });
});

test("rejects a migration that was edited after it was applied, and names it", async () => {
  const db = connect(await createDatabase({ migrated: true }));
  await db.query("update migrations set hash = 'other' where number = 1");

  await expect(migrate(db)).rejects.toThrow("0001_baseline.sql was changed");
});

test("accepts the schema of a newer release unless its change is breaking", async () => {
  const db = connect(await createDatabase({ migrated: true }));
  const note = "insert into migrations (number, name, hash, breaking) values ($1, $2, 'h', $3)";

  await db.query(note, [9_998, "9998_adds.sql", false]);
  expect(await migrate(db)).toEqual({ applied: 0 });

  await db.query(note, [9_999, "9999_removes.sql", true]);
  await expect(migrate(db)).rejects.toThrow(SchemaTooNewError);
  await expect(migrate(db)).rejects.toThrow("9999_removes.sql");
});

test("leaves nothing behind if a migration fails", async () => {
  const db = connect(await createDatabase({ migrated: false }));
  // The first migration also creates a table with this name, after other tables.
  await db.query("create table slices (id integer)");

  await expect(migrate(db)).rejects.toThrow("slices");

  const { rows } = await db.query("select table_name from information_schema.tables where table_schema = 'public'");
  expect(rows).toEqual([{ table_name: "slices" }]);
});
