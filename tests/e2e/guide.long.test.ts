/** Follows docs/quickstart.md exactly: runs the page's curl commands, Python script and use cases. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { availableProfiles, testServices, until } from "@nightshift/testing";
import { commandsOf, fillIn, keysOf, pageExample, type Placeholder, replyOf } from "@nightshift/testing/pages";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useReader } from "./reader.ts";
import { useStack } from "./use-stack.ts";

const PAGE = "docs/quickstart.md";
const { bash, python } = testServices();

interface GuideObject {
  readonly id: string;
  readonly status: string;
  readonly output_file_id: string;
}

const steps = {
  prepare: pageExample(PAGE, "Step 1: Prepare Your Requests", "jsonl"),
  upload: pageExample(PAGE, "Step 2: Upload Your File", "bash"),
  create: pageExample(PAGE, "Step 3: Create a Batch", "bash"),
  check: pageExample(PAGE, "Step 4: Check Batch Status", "bash"),
  download: pageExample(PAGE, "Step 5: Download Results", "bash"),
};
const resultsShown = pageExample(PAGE, "Step 5: Download Results", "jsonl");
const script = pageExample(PAGE, "Python Example", "python");
const errorHandling = pageExample(PAGE, "Error Handling", "python");
const useCases = [
  { text: pageExample(PAGE, "1. Bulk Content Generation", "jsonl"), customIds: ["article-1", "article-2"] },
  { text: pageExample(PAGE, "2. Bulk Data Analysis", "jsonl"), customIds: ["analysis-1", "analysis-2"] },
  { text: pageExample(PAGE, "3. Bulk Embeddings", "jsonl"), customIds: ["embed-1", "embed-2"] },
];

/** Returns the keys of each line. */
const keysOfLines = (lines: string): string[][] =>
  lines
    .trimEnd()
    .split("\n")
    .map((line) => keysOf(JSON.parse(line)));

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({ profile });
  const reader = useReader();
  beforeEach(() => reader.save("requests.jsonl", steps.prepare));

  const withCurl = bash === null ? test.skip : test;
  withCurl(
    "the curl commands lead from the file to the results, and the replies have the keys that the page shows",
    async () => {
      const own = { url: stack().url, key: stack().key };
      const follow = (step: string, ids: Partial<Record<Placeholder, string>> = {}): Promise<string> =>
        reader.shell(fillIn(commandsOf(step), { ...own, ...ids }));

      const file = JSON.parse(await follow(steps.upload)) as GuideObject;
      const created = JSON.parse(await follow(steps.create, { file: file.id })) as GuideObject;
      const completed = await until(
        async () => {
          const batch = JSON.parse(await follow(steps.check, { batch: created.id })) as GuideObject;
          return batch.status === "completed" && batch;
        },
        { message: "step 4 shows a completed batch", timeoutMs: 60_000, everyMs: 200 },
      );
      const shown = await follow(steps.download, { outputFile: completed.output_file_id });

      const results = await readFile(path.join(reader.folder(), "results.jsonl"), "utf8");
      expect(keysOf(file)).toEqual(keysOf(replyOf(steps.upload)));
      expect(keysOf(created)).toEqual(keysOf(replyOf(steps.create)));
      expect(keysOf(completed)).toEqual(keysOf(replyOf(steps.check)));
      expect(shown).toContain(results);
      expect(keysOfLines(results)).toEqual(keysOfLines(resultsShown));
    },
  );

  const withPython = python === null ? test.skip : test;
  withPython("the Python script prints an answer for each line", async () => {
    // The script waits 30 s between its polls.
    const impatient = "import time; time.sleep = lambda s, sleep=time.sleep: sleep(0.2)";
    const mine = fillIn(script, { url: stack().url, key: stack().key });

    const printed = await reader.python(`${impatient}\n${mine}\n${errorHandling}`);

    expect(printed).toMatch(/^File uploaded: file-\w+\nBatch created: batch_\w+\n(Status: \w+\n)+/);
    expect(printed).toContain("Status: completed");
    expect(printed.match(/^req-[123]: \S.*$/gm)).toHaveLength(3);
    expect(printed).not.toContain("Errors found");
  });

  withPython("the error handling prints the errors of an invalid file and of a failed request", async () => {
    await simulator().configure({ faults: [{ match: "unanswerable", status: 400, times: 1 }] });
    const client = createBatchClient(stack());
    const broken = await client.run(`${chatLine("a", "Why?")}\n{`);
    const refused = await client.run(chatLine("b", "unanswerable"));
    const handle = (id: string): Promise<string> => {
      const known = `API_KEY, BASE_URL = "${stack().key}", "${stack().url}/v1"`;
      const ask = `requests.get(f"{BASE_URL}/batches/${id}", headers={"Authorization": f"Bearer {API_KEY}"})`;
      return reader.python(`import requests\n${known}\nbatch = ${ask}.json()\n${errorHandling}`);
    };

    expect(await handle(broken.id)).toMatch(/^Line 2: \S.*\n$/);
    expect(await handle(refused.id)).toMatch(/^Errors found: \{.*"custom_id": ?"b".*\}\n\n$/);
  });

  test.each(useCases)("the use case of $customIds completes", async ({ text, customIds }) => {
    const endpoint = (JSON.parse(text.split("\n")[0] ?? "") as { url: string }).url;
    const client = createBatchClient(stack());

    const batch = await client.finished((await client.create(await client.upload(text), endpoint)).id);
    const lines = await client.lines(batch.output_file_id);

    expect(batch.status).toBe("completed");
    expect(lines.map((line) => line.custom_id)).toEqual(customIds);
  });
});
