/**
 * Checks that a test runs every example of the documentation, and that all pages write placeholders in the same way.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { pageExample, type PageExample, PLACEHOLDERS, readPage } from "@nightshift/testing/pages";
import ts from "typescript";

const root = path.resolve(import.meta.dirname, "../..");

/** The decisions in docs/adr are left out. They describe the past, and readers do not paste their examples. */
const pages = [
  "README.md",
  ...readdirSync(path.join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];
const examples = pages.flatMap((page) => readPage(page).map((example) => ({ page, ...example })));
const describeExample = ({ page, heading, language, place }: PageExample & { readonly page: string }): string =>
  `${page}, "${heading}": ${language} block ${String(place)}`;

const testFiles = ["apps", "packages", "tests"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.test\.ts$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => path.join(folder, file))
    // This file only compares the examples and does not run them.
    .filter((file) => path.join(root, file) !== import.meta.filename),
);

/**
 * Returns the arguments of each call of `pageExample` and `pageExamples` in a file. An argument is null if its value
 * cannot be read from the source.
 */
function claimsOf(file: string): { readonly all: boolean; readonly words: readonly (string | null)[] }[] {
  const text = readFileSync(path.join(root, file), "utf8");
  if (!text.includes("pageExample")) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const constants = new Map<string, string>();
  const claims: ReturnType<typeof claimsOf> = [];
  const wordOf = (node: ts.Expression): string | null => {
    if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) return node.text;
    return ts.isIdentifier(node) ? (constants.get(node.text) ?? null) : null;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      if (ts.isStringLiteral(node.initializer)) constants.set(node.name.text, node.initializer.text);
    }
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const name = node.expression.text;
      if (name === "pageExample" || name === "pageExamples") {
        claims.push({ all: name === "pageExamples", words: node.arguments.map(wordOf) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return claims;
}

const claims = testFiles.flatMap((file) => claimsOf(file).map((claim) => ({ file, ...claim })));

/** True if a test uses this example, either alone or with all other examples of its page and language. */
function isTested({ page, heading, language, place }: PageExample & { readonly page: string }): boolean {
  const one = [page, heading, language, String(place)].join("\n");
  return claims.some(({ all, words }) =>
    all ? words.join("\n") === `${page}\n${language}` : [...words, "1"].slice(0, 4).join("\n") === one,
  );
}

test("a test runs every example of the pages: pageExample(page, heading, language)", () => {
  expect(examples.length).toBeGreaterThan(40);
  expect(examples.filter((one) => !isTested(one)).map(describeExample)).toEqual([]);
});

test("tests name their examples with literals or constants, which this test can read", () => {
  expect(claims.filter(({ words }) => words.includes(null)).map(({ file }) => file)).toEqual([]);
});

test("every code block names its language", () => {
  expect(examples.filter(({ language }) => language === "").map(describeExample)).toEqual([]);
});

test("all pages write placeholders in the same way", () => {
  const known = new Set<string>(Object.values(PLACEHOLDERS));
  const looksLikeOne = /\b(?:file-|batch_|upload_|part_|key_|we_)[a-z]*\d\w*|\bYOUR_\w+|\$\{?[A-Z]\w*\}?/g;
  const commands = examples.filter(({ language }) => ["bash", "js", "ts", "python"].includes(language));
  const others = commands.flatMap((one) =>
    [...one.text.matchAll(looksLikeOne)].map(([found]) => found).filter((found) => !known.has(found)),
  );

  expect(others).toEqual([]);
});

test("every npm command that a page names exists", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    scripts: Readonly<Record<string, string>>;
  };
  const named = [...pages, "CONTRIBUTING.md", "AGENTS.md"].flatMap((page) =>
    [...readFileSync(path.join(root, page), "utf8").matchAll(/\bnpm (?:run ([\w:]+)|(start|test))\b/g)].map(
      ([, run, own]) => `${page}: ${run ?? own ?? ""}`,
    ),
  );

  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((one) => !((one.split(": ")[1] ?? "") in scripts))).toEqual([]);
});

test("every benchmark and option of npm run bench that a page names exists", () => {
  const named = pages.flatMap((page) =>
    [...readFileSync(path.join(root, page), "utf8").matchAll(/\bnpm run bench -- ([\w-]+)|`(--[\w-]+)` writes/g)].map(
      ([, benchmark, option]) => benchmark ?? option ?? "",
    ),
  );
  const main = readFileSync(path.join(root, "apps/bench/src/main.ts"), "utf8");
  const isThere = (word: string): boolean =>
    word.startsWith("--")
      ? main.includes(`"${word}`)
      : existsSync(path.join(root, "apps/bench/src/benchmarks", `${word}.ts`));

  expect(named).toEqual(["overhead", "--profile"]);
  expect(named.filter((word) => !isThere(word))).toEqual([]);
});

test.each([
  ["requests", pageExample("docs/quickstart.md", "Step 1: Prepare Your Requests", "jsonl")],
  ["content-generation", pageExample("docs/quickstart.md", "1. Bulk Content Generation", "jsonl")],
  ["data-analysis", pageExample("docs/quickstart.md", "2. Bulk Data Analysis", "jsonl")],
  ["embeddings", pageExample("docs/quickstart.md", "3. Bulk Embeddings", "jsonl")],
])("examples/%s.jsonl equals the example in the guide", (name, shown) => {
  expect(readFileSync(path.join(root, "examples", `${name}.jsonl`), "utf8")).toBe(shown);
});
