/**
 * Checks that the sections of the wire contract and the invariants of the architecture page that are cited by number
 * exist.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

const texts = [".", "apps", "docs", "examples", "infra", "packages", "scripts", "tests"]
  .flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: folder !== ".", encoding: "utf8" }).map((file) =>
      path.join(folder, file),
    ),
  )
  .filter((file) => /\.(ts|mjs|sql|md|py)$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
  .map((file) => ({ file, text: read(file) }));

/** A section sign after RFC or HTML belongs to that standard; every other section sign belongs to the contract. */
const SECTION = /(?<!\b(?:RFC \d+|HTML)[\s/*]*)§(\d+(?:\.\d+)*)/g;
const INVARIANT = /\binvariants?[\s/*]+(\d+)/gi;

function cited(pattern: RegExp): readonly { readonly file: string; readonly number: string }[] {
  return texts.flatMap(({ file, text }) => [...text.matchAll(pattern)].map(([, number = ""]) => ({ file, number })));
}

test("every cited section of the contract is in docs/wire-contract.md", () => {
  // The list items of §7 have bold numbers.
  const sections = [...read("docs/wire-contract.md").matchAll(/^(?:#+ |- \*\*)(\d+(?:\.\d+)*)/gm)].map(
    ([, number]) => number,
  );
  const citations = cited(SECTION);

  expect(citations.length).toBeGreaterThan(100);
  expect(citations.filter(({ number }) => !sections.includes(number))).toEqual([]);
});

test("every cited invariant is numbered in docs/architecture.md", () => {
  const [, section = ""] = /^## Invariants\n(.*?)^## /ms.exec(read("docs/architecture.md")) ?? [];
  const invariants = [...section.matchAll(/^(\d+)\. /gm)].map((match) => match[1]);
  const citations = cited(INVARIANT);

  expect(citations.length).toBeGreaterThan(5);
  expect(citations.filter(({ number }) => !invariants.includes(number))).toEqual([]);
});
