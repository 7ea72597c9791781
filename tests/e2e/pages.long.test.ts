/** Runs the commands and programs of the pages other than the quick start, taken from the pages themselves. */
import { readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { freePort, type Stack, testServices, until } from "@nightshift/testing";
import { fillIn, keysOf, pageExample } from "@nightshift/testing/pages";
import { type BatchClient, chatLine, createBatchClient } from "./batch-client.ts";
import { type Started, useReader } from "./reader.ts";
import { useStack } from "./use-stack.ts";
import { createWebhookAdmin, useWebhookReceiver } from "./webhook-receiver.ts";

const { bash, python } = testServices();
const withCurl = bash === null ? test.skip : test;
const withPython = python === null ? test.skip : test;
const withBoth = bash === null || python === null ? test.skip : test;

const INPUT = ["req-1", "req-2", "req-3"].map((one) => `${chatLine(one, `about ${one}`)}\n`).join("");
const WEBHOOKS = "docs/webhooks.md";
const EXTENSIONS = "docs/extensions.md";

interface Named {
  readonly id: string;
}

interface HistoryPage {
  readonly data: readonly object[];
}

const { stack, simulator } = useStack({
  profile: "one-machine",
  env: { NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: "true", UPSTREAM_MAX_ATTEMPTS: "1" },
});
const reader = useReader();
let client: BatchClient;
/** The values that a reader of the pages puts in place of the address and the key. */
let own: { readonly url: string; readonly key: string };

beforeEach(async () => {
  client = createBatchClient(stack());
  own = { url: stack().url, key: stack().key };
  await symlink(await dataFolder(stack()), path.join(reader.folder(), "data"));
  await reader.save("requests.jsonl", INPUT);
});

/** The folder that the pages call `data`. */
async function dataFolder(running: Stack): Promise<string> {
  const service = (await running.processes()).find(({ role }) => role === "supervisor");
  return service?.environment.get("NIGHTSHIFT_DATA_DIR") ?? "";
}

describe("webhooks", () => {
  const receiver = useWebhookReceiver();
  const endpoints: string[] = [];
  afterEach(async () => {
    const admin = createWebhookAdmin(stack());
    await Promise.all(endpoints.splice(0).map((id) => admin.remove(id)));
  });
  /** Sets up an endpoint as the page does. */
  const setUp = async (receiverUrl: string): Promise<Named & { readonly secret: string }> => {
    const command = fillIn(pageExample(WEBHOOKS, "Set one up", "bash"), { url: own.url, receiver: receiverUrl });
    const endpoint = (await reader.json(command)) as Named & { readonly secret: string };
    endpoints.push(endpoint.id);
    return endpoint;
  };

  withCurl("a webhook endpoint and its events have the keys that the page shows", async () => {
    const endpoint = await setUp(receiver.url());
    const batch = await client.run(INPUT);
    await until(() => receiver.of(batch.id).length > 0, { message: "the event has arrived", timeoutMs: 30_000 });

    const event = JSON.parse(receiver.of(batch.id)[0]?.body ?? "") as object;

    expect(keysOf(endpoint)).toEqual(keysOf(JSON.parse(pageExample(WEBHOOKS, "Set one up", "json"))));
    expect(keysOf(event)).toEqual(keysOf(JSON.parse(pageExample(WEBHOOKS, "Receive", "json"))));
    expect(event).toMatchObject({ type: "batch.completed", data: { id: batch.id } });
  });

  /**
   * Starts the receiver of a page with `start`, and checks that it rejects unsigned and forged requests and prints a
   * finished batch.
   */
  const expectReception = async (text: string, start: (text: string, variables: object) => Promise<Started>) => {
    const port = String(await freePort());
    const url = `http://127.0.0.1:${port}/hook`;
    const { secret } = await setUp(url);
    const variables = { OPENAI_API_KEY: own.key, OPENAI_WEBHOOK_SECRET: secret };
    const program = await start(fillIn(text, { url: own.url, receiverPort: port }), variables);
    const strange = await until(() => fetch(url, { method: "POST", body: '{"type":"batch.completed"}' }), {
      message: "the receiver listens",
      timeoutMs: 30_000,
    });
    const forged = await fetch(url, {
      method: "POST",
      body: JSON.stringify({ type: "batch.completed", data: { id: "batch_forged" } }),
      headers: {
        "webhook-id": "wh_1",
        "webhook-timestamp": String(Math.floor(Date.now() / 1_000)),
        "webhook-signature": `v1,${Buffer.alloc(32).toString("base64")}`,
      },
    });

    const batch = await client.run(INPUT);
    await program.untilSaid(`finished: ${batch.id}\n`);

    expect([strange.status, forged.status]).toEqual([400, 400]);
    expect(program.said()).not.toContain("batch_forged");
  };

  withCurl("the receiver in Node prints the finished batch and rejects unsigned requests", async () => {
    expect.hasAssertions();
    await expectReception(pageExample(WEBHOOKS, "Receive", "js"), async (text, variables) => {
      await reader.save("receiver.mjs", text);
      return reader.start(process.execPath, ["receiver.mjs"], { ...variables });
    });
  });

  withBoth("the receiver in Python prints the finished batch and rejects unsigned requests", async () => {
    expect.hasAssertions();
    await expectReception(pageExample(WEBHOOKS, "Receive", "python"), async (text, variables) => {
      await reader.save("receiver.py", text);
      return reader.start(python ?? "", ["receiver.py"], { ...variables });
    });
  });
});

describe("retrying failed requests", () => {
  const HEADING = "Retrying failed requests";

  withCurl.each([
    ["all", pageExample("docs/retry.md", HEADING, "bash")],
    ["some", pageExample("docs/retry.md", HEADING, "bash", 2)],
  ])("a retry of %s returns the batch, and its requests succeed", async (_which, example) => {
    const faults = ["req-2", "req-3"].map((match) => ({ match: `about ${match}`, status: 400, times: 1 }));
    await simulator().configure({ faults });
    const failed = await client.run(INPUT);

    const asked = await reader.json(fillIn(example, { ...own, batch: failed.id }));
    const retried = await until(
      async () => {
        const batch = await client.retrieve(failed.id);
        return batch.error_file_id === null && batch;
      },
      { message: "the failed requests have succeeded", timeoutMs: 30_000, everyMs: 100 },
    );

    expect(failed.request_counts).toEqual({ total: 3, completed: 1, failed: 2 });
    expect(keysOf(asked)).toEqual(keysOf(failed));
    expect(retried.request_counts).toEqual({ total: 3, completed: 3, failed: 0 });
  });
});

describe("extensions", () => {
  withCurl("one Idempotency-Key creates one batch, with curl and with the SDK", async () => {
    const values = { ...own, file: await client.upload(INPUT) };
    const command = fillIn(pageExample(EXTENSIONS, "Create once: Idempotency-Key", "bash"), values);
    const { id } = (await reader.json(command)) as Named;

    const again = (await reader.json(command)) as Named;
    const bySdk = await reader.node(fillIn(pageExample(EXTENSIONS, "Create once: Idempotency-Key", "js"), values));

    expect([again.id, bySdk]).toEqual([id, `${id}\n`]);
    await client.finished(id);
  });

  withCurl("a compressed upload is stored uncompressed", async () => {
    const command = fillIn(pageExample(EXTENSIONS, "Compressed uploads", "bash"), own);

    const file = (await reader.json(command)) as Named & { readonly filename: string };

    expect(file.filename).toBe("requests.jsonl");
    expect((await client.content(file.id)).toString()).toBe(INPUT);
  });

  withCurl("the progress events look like the one on the page", async () => {
    const batch = (await client.create(await client.upload(INPUT))).id;
    const command = fillIn(pageExample(EXTENSIONS, "Progress: server-sent events", "bash"), { ...own, batch });

    const events = eventsOf(await reader.shell(command));

    const [shown] = eventsOf(pageExample(EXTENSIONS, "Progress: server-sent events", "text"));
    for (const { fields, keys } of events)
      expect({ fields, keys }).toEqual({ fields: shown?.fields, keys: shown?.keys });
    expect(events.at(-1)?.event).toBe("done");
  });

  withCurl("results can be read while the batch runs", async () => {
    const batch = (await client.create(await client.upload(INPUT))).id;
    const heading = "Results while the batch runs";
    const command = fillIn(pageExample(EXTENSIONS, heading, "bash"), { ...own, batch });

    const page = (await reader.json(command)) as { data: { custom_id: string }[]; has_more: boolean };

    expect(Object.keys(page)).toEqual(Object.keys(JSON.parse(pageExample(EXTENSIONS, heading, "json")) as object));
    expect([1, 2]).toContain(page.data.length);
    expect(page.has_more).toBe(true);
    await client.finished(batch);
  });

  withCurl("the history of a batch has entries like the ones on the page", async () => {
    const { id: batch } = await client.run(INPUT);
    const command = fillIn(pageExample(EXTENSIONS, "History", "bash"), { ...own, batch });

    const page = (await reader.json(command)) as HistoryPage;

    const shown = JSON.parse(pageExample(EXTENSIONS, "History", "json")) as HistoryPage;
    expect(Object.keys(page)).toEqual(Object.keys(shown));
    expect(page.data.map((entry) => Object.keys(entry))).toEqual(shown.data.map((entry) => Object.keys(entry)));
    expect(page.data[0]).toMatchObject({ batch_id: batch, type: "status", status: "completed" });
  });
});

describe("uploads in parts", () => {
  const command = (place: number, ids: { upload?: string; part?: string } = {}): Promise<unknown> =>
    reader.json(fillIn(uploadCommands[place - 1] ?? "", { ...own, ...ids }));

  withPython("one call of the SDK uploads a file in parts", async () => {
    const printed = await reader.python(fillIn(pageExample("docs/uploads.md", "Uploads", "python"), own));

    expect((await client.content(printed.trim())).toString()).toBe(INPUT);
  });

  withCurl("the curl commands complete or cancel an upload", async () => {
    const { id: upload } = (await command(1)) as Named;
    const { id: part } = (await command(2, { upload })) as Named;
    const completed = (await command(3, { upload, part })) as { file: Named };
    const { id: dropped } = (await command(1)) as Named;
    const cancelled = await command(4, { upload: dropped });

    expect((await client.content(completed.file.id)).toString()).toBe(INPUT);
    expect(cancelled).toMatchObject({ id: dropped, status: "cancelled" });
  });
});

/** The commands of the page: create, send a part, complete, cancel. */
const uploadCommands = [
  pageExample("docs/uploads.md", "Uploads", "bash"),
  pageExample("docs/uploads.md", "Uploads", "bash", 2),
  pageExample("docs/uploads.md", "Uploads", "bash", 3),
  pageExample("docs/uploads.md", "Uploads", "bash", 4),
];

withCurl("the one command of the README takes a file through all steps", async () => {
  await reader.shell(pageExample("README.md", "Nightshift", "bash", 2));

  const results = await readFile(path.join(reader.folder(), "results.jsonl"), "utf8");

  expect(results.match(/"custom_id": ?"req-[123]"/g)).toHaveLength(3);
});

withCurl("the command of the quick start writes failed requests to a separate file", async () => {
  await simulator().configure({ faults: [{ match: "about req-2", status: 400, times: 1 }] });
  const inFile = async (name: string): Promise<readonly string[]> => {
    const lines = (await readFile(path.join(reader.folder(), name), "utf8")).trimEnd().split("\n");
    return lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
  };

  const command = pageExample("docs/quickstart.md", "Error Handling", "bash").trimEnd();
  const code = await reader.shell(`${command} && echo 0 || echo $?`);

  expect(code).toBe("1\n");
  expect(await inFile("results.jsonl")).toEqual(["req-1", "req-3"]);
  expect(await inFile("results.errors.jsonl")).toEqual(["req-2"]);
});

/** Returns the names of the fields of each event of a stream, and the keys of the event's data. */
function eventsOf(stream: string): { event: string; fields: string[]; keys: string[] }[] {
  const blocks = stream.split("\n\n").filter((block) => block.includes("data: "));
  return blocks.map((block) => {
    const lines = block.trim().split("\n");
    const fields = new Map(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
    const keys = keysOf(JSON.parse(fields.get("data") ?? ""));
    return { event: fields.get("event") ?? "", fields: [...fields.keys()], keys };
  });
}
