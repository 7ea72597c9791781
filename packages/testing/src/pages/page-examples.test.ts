import { expect, test } from "@jest/globals";
import { commandsOf, fillIn, keysOf, pageExample, readPage, replyOf } from "./page-examples.ts";

test("a page's blocks are told apart by heading, language and place", () => {
  const blocks = readPage("README.md").filter(({ heading }) => heading === "Nightshift");

  expect(blocks.map(({ language, place }) => [language, place])).toEqual([
    ["bash", 1],
    ["bash", 2],
  ]);
  expect(pageExample("README.md", "Nightshift", "bash", 2)).toBe(blocks[1]?.text);
  expect(() => pageExample("README.md", "Nightshift", "bash", 3)).toThrow('no bash block 3 under "Nightshift"');
});

test("what stands behind the language is the block's label", () => {
  const labels = readPage("docs/batch-file-api.md").map(({ language, label }) => `${language} ${label}`);

  expect(labels).toContain("json FileList");
});

test("commands and the reply below them are told apart", () => {
  const block = 'curl a\n\n# Response when completed\n{ "id": 1 }\n';

  expect(commandsOf(block)).toBe("curl a\n\n");
  expect(replyOf(block)).toEqual({ id: 1 });
  expect(() => replyOf("curl a\n")).toThrow("No reply is shown here");
});

test("placeholders are filled in, and one that the example does not have is a fault of the page or of the test", () => {
  const text = 'curl http://localhost:8080/v1/files/file-abc123 -H "YOUR_API_KEY"';

  expect(fillIn(text, { url: "http://a:1", key: "sk", file: "file-1" })).toBe(
    'curl http://a:1/v1/files/file-1 -H "sk"',
  );
  expect(() => fillIn(text, { batch: "batch_1" })).toThrow('"batch_xyz789" is not in this example');
});

test("keys are named with their paths, in their order, once for all items of a list", () => {
  expect(keysOf({ b: 1, a: [{ c: null }, { c: 2 }], d: {} })).toEqual([".b", ".a", ".a[].c", ".d"]);
});
