import path from "node:path";
import { expect, test } from "@jest/globals";
import { forShell } from "./keys.ts";

test("a path below the current folder is shown from there, any other whole", () => {
  expect(forShell(path.resolve("data/key"))).toBe("data/key");
  expect(forShell("/var/lib/key")).toBe("/var/lib/key");
  expect(forShell(process.cwd())).toBe(".");
});

test("a path that a shell would take apart is quoted", () => {
  expect(forShell("/srv/my data/it's")).toBe(`'/srv/my data/it'\\''s'`);
});
