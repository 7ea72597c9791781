/**
 * Checks the source files: each name describes the content, and each file starts with a comment that says what it is.
 */
import path from "node:path";
import { expect, test } from "@jest/globals";
import { readSources, readWorkspaces } from "./sources.ts";

const sources = readWorkspaces().flatMap(readSources);

test("file names are in kebab-case and describe the content, unlike names such as utils or helpers", () => {
  const names = sources.map(({ file }) => file);

  expect(names.filter((file) => /\/(utils?|helpers?|lib|types|interfaces|common|shared|misc)\.ts$/.test(file))).toEqual(
    [],
  );
  expect(names.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(path.basename(file)))).toEqual([]);
});

test("every file starts with a comment that says what it is", () => {
  const silent = sources.filter(({ text }) => !/^(#![^\n]*\n)?\s*(\/\*\*?|\/\/)/.test(text)).map(({ file }) => file);

  expect(silent).toEqual([]);
});

test("a package's index re-exports by name, so that it shows the public API", () => {
  const starred = sources.filter(({ text }) => /^export \* /m.test(text)).map(({ file }) => file);

  expect(starred).toEqual([]);
});
