import { expect, test } from "@jest/globals";
import { field, table, time } from "./table.ts";

test("columns are as wide as their widest cell; what is missing is a dash", () => {
  const columns = [field("TENANT", "tenant"), field("EVENTS", "events"), time("MADE", "created_at")];

  const lines = table(columns, [
    { tenant: "acme", events: ["batch.completed", "batch.failed"], created_at: 1_700_000_000 },
    { tenant: "b", events: null, created_at: null },
  ]);

  expect(lines).toEqual([
    "TENANT  EVENTS                         MADE",
    "acme    batch.completed, batch.failed  2023-11-14T22:13:20Z",
    "b       -                              -",
  ]);
});

test("a name cannot move the terminal's cursor", () => {
  expect(table([field("NAME", "name")], [{ name: "a\u001b[2J\nb" }])).toEqual(["NAME", "a [2J b"]);
});
