/** Follows docs/quickstart.md to the letter: its curl commands, its Python script and its use cases, taken from the page itself. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { availableProfiles, type Stack, testServices, until } from "@nightshift/testing";
import { createBatchClient } from "./batch-client.ts";
import { runCommand } from "./command.ts";
import { blockUnder, commandsOf, GUIDE_BASE_URL, GUIDE_KEY, readGuide } from "./quickstart-guide.ts";
import { useStack } from "./use-stack.ts";

const guide = readGuide();
const { bash, python } = testServices();

interface GuideObject {
  readonly id: string;
  readonly status: string;
  readonly output_file_id: string;
}

/** What a reader changes: the address, the key, and the ids of the examples. */
function asReader(text: string, stack: Stack, ids: Readonly<Record<string, string>> = {}): string {
  let mine = text.replaceAll(GUIDE_BASE_URL, stack.url).replaceAll(GUIDE_KEY, stack.key);
  for (const [example, id] of Object.entries(ids)) mine = mine.replaceAll(example, id);
  return mine;
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({ profile });
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "nightshift-guide-"));
    await writeFile(path.join(folder, "requests.jsonl"), `${blockUnder(guide, "Step 1", "jsonl")}\n`);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const withCurl = bash === null ? test.skip : test;
  withCurl("the curl commands lead from the file to the results", async () => {
    const shell = (heading: string, ids?: Record<string, string>): Promise<string> =>
      runCommand(
        bash ?? "",
        ["-euo", "pipefail", "-c", asReader(commandsOf(blockUnder(guide, heading, "bash")), stack(), ids)],
        folder,
      );

    const file = JSON.parse(await shell("Step 2")) as GuideObject;
    const created = JSON.parse(await shell("Step 3", { "file-abc123": file.id })) as GuideObject;
    const completed = await until(
      async () => {
        const batch = JSON.parse(await shell("Step 4", { batch_xyz789: created.id })) as GuideObject;
        return batch.status === "completed" && batch;
      },
      { message: "step 4 shows a completed batch", timeoutMs: 60_000, everyMs: 200 },
    );
    const shown = await shell("Step 5", { "file-output123": completed.output_file_id });

    const results = await readFile(path.join(folder, "results.jsonl"), "utf8");
    expect(shown).toContain(results);
    expect(results.match(/"custom_id": ?"req-[123]"/g)).toHaveLength(3);
  });

  const withPython = python === null ? test.skip : test;
  withPython("the Python script prints an answer for each line", async () => {
    const script = asReader(blockUnder(guide, "Python Example", "python"), stack());
    const errorHandling = blockUnder(guide, "Error Handling", "python");
    await writeFile(path.join(folder, "guide.py"), `${script}\n${errorHandling}\n`);
    // The script waits 30 s between its polls.
    const impatient = "import time; time.sleep = lambda s, sleep=time.sleep: sleep(0.2); exec(open('guide.py').read())";

    const printed = await runCommand(python ?? "", ["-c", impatient], folder);

    expect(printed).toMatch(/^File uploaded: file-\w+\nBatch created: batch_\w+\n(Status: \w+\n)+/);
    expect(printed).toContain("Status: completed");
    expect(printed.match(/^req-[123]: \S.*$/gm)).toHaveLength(3);
    expect(printed).not.toContain("Errors found");
  });

  test.each([
    ["1. Bulk Content Generation", ["article-1", "article-2"]],
    ["2. Bulk Data Analysis", ["analysis-1", "analysis-2"]],
    ["3. Bulk Embeddings", ["embed-1", "embed-2"]],
  ])("the use case %s completes", async (heading, customIds) => {
    const input = blockUnder(guide, heading, "jsonl");
    const endpoint = (JSON.parse(input.split("\n")[0] ?? "") as { url: string }).url;
    const client = createBatchClient(stack());

    const batch = await client.finished((await client.create(await client.upload(input), endpoint)).id);
    const lines = await client.lines(batch.output_file_id);

    expect(batch.status).toBe("completed");
    expect(lines.map((line) => line.custom_id)).toEqual(customIds);
  });
});
