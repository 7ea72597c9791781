/** Holds the shape of the source files: names that say what is inside, and a first sentence that says what room one has entered. */
import path from "node:path";
import { expect, test } from "@jest/globals";
import { readSources, readWorkspaces } from "./sources.ts";

const sources = readWorkspaces().flatMap(readSources);

test("files are named by the thing inside, in kebab-case, never as a drawer", () => {
  const names = sources.map(({ file }) => file);

  expect(names.filter((file) => /\/(utils?|helpers?|lib|types|interfaces|common|shared|misc)\.ts$/.test(file))).toEqual(
    [],
  );
  expect(names.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(path.basename(file)))).toEqual([]);
});

test("every file says in its first lines what it is", () => {
  const silent = sources.filter(({ text }) => !/^(#![^\n]*\n)?\s*(\/\*\*?|\/\/)/.test(text)).map(({ file }) => file);

  expect(silent).toEqual([]);
});

test("a package's index re-exports by name, so that its surface can be read", () => {
  const starred = sources.filter(({ text }) => /^export \* /m.test(text)).map(({ file }) => file);

  expect(starred).toEqual([]);
});
