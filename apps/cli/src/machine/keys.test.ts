import path from "node:path";
import { expect, test } from "@jest/globals";
import { forShell } from "./keys.ts";

test("shows a path below the current folder as a relative path, and others as absolute paths", () => {
  expect(forShell(path.resolve("data/key"))).toBe("data/key");
  expect(forShell("/var/lib/key")).toBe("/var/lib/key");
  expect(forShell(process.cwd())).toBe(".");
});

test("quotes a path that a shell would split", () => {
  expect(forShell("/srv/my data/it's")).toBe(`'/srv/my data/it'\\''s'`);
});
