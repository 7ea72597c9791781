import { expect, test } from "@jest/globals";
import { field, fieldList, objectTable, time } from "./admin-table.ts";

test("makes columns as wide as their widest cell, and shows a missing value as a dash", () => {
  const columns = [field("TENANT", "tenant"), field("EVENTS", "events"), time("MADE", "created_at")];

  const lines = objectTable(columns, [
    { tenant: "acme", events: ["batch.completed", "batch.failed"], created_at: 1_700_000_000 },
    { tenant: "b", events: null, created_at: null },
  ]);

  expect(lines).toEqual([
    "TENANT  EVENTS                         MADE",
    "acme    batch.completed, batch.failed  2023-11-14T22:13:20Z",
    "b       -                              -",
  ]);
});

test("aligns columns after characters that are two columns wide", () => {
  const lines = objectTable(
    [field("NAME", "name"), field("ID", "id")],
    [
      { name: "夜勤", id: 1 },
      { name: "day", id: 2 },
    ],
  );

  expect(lines).toEqual(["NAME  ID", "夜勤  1", "day   2"]);
});

test("shows the fields of one object, one on each line", () => {
  expect(
    fieldList([
      ["delivered", true],
      ["error", null],
    ]),
  ).toEqual(["delivered  true", "error      -"]);
});

test("replaces control characters in a name", () => {
  expect(objectTable([field("NAME", "name")], [{ name: "a\u001b[2J\nb" }])).toEqual(["NAME", "a [2J b"]);
});
