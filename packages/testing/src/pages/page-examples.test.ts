import { expect, test } from "@jest/globals";
import { commandsOf, fillIn, keysOf, pageExample, readPage, replyOf } from "./page-examples.ts";

test("finds a block by its heading, language and position", () => {
  const blocks = readPage("README.md").filter(({ heading }) => heading === "Nightshift");

  expect(blocks.map(({ language, place }) => [language, place])).toEqual([
    ["bash", 1],
    ["bash", 2],
  ]);
  expect(pageExample("README.md", "Nightshift", "bash", 2)).toBe(blocks[1]?.text);
  expect(() => pageExample("README.md", "Nightshift", "bash", 3)).toThrow('no bash block 3 under "Nightshift"');
});

test("reads the word after the language as the block's label", () => {
  const labels = readPage("docs/batch-file-api.md").map(({ language, label }) => `${language} ${label}`);

  expect(labels).toContain("json FileList");
});

test("separates the commands of a block from the reply below them", () => {
  const block = 'curl a\n\n# Response when completed\n{ "id": 1 }\n';

  expect(commandsOf(block)).toBe("curl a\n\n");
  expect(replyOf(block)).toEqual({ id: 1 });
  expect(() => replyOf("curl a\n")).toThrow("No reply is shown here");
});

test("fills in placeholders, and throws for one that the example lacks", () => {
  const text = 'curl http://localhost:8080/v1/files/file-abc123 -H "YOUR_API_KEY"';

  expect(fillIn(text, { url: "http://a:1", key: "sk", file: "file-1" })).toBe(
    'curl http://a:1/v1/files/file-1 -H "sk"',
  );
  expect(() => fillIn(text, { batch: "batch_1" })).toThrow('"batch_xyz789" is not in this example');
});

test("returns the path of each key in order, once for all items of a list", () => {
  expect(keysOf({ b: 1, a: [{ c: null }, { c: 2 }], d: {} })).toEqual([".b", ".a", ".a[].c", ".d"]);
});
