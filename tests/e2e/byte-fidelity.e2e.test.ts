/**
 * The bytes of a request body reach the upstream unchanged, and the bytes of the reply reach the result file unchanged.
 */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Simulator } from "@nightshift/testing";
import { type Batch, type BatchClient, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

/** A model name as JSON text: plain, with an escape, and the first value if the key `model` occurs twice. */
interface ModelTexts {
  readonly plain: string;
  readonly escaped: string;
  readonly first: string;
}

const KNOWN: ModelTexts = { plain: `"gpt-4"`, escaped: `"gpt\\u002d4"`, first: `"other"` };
/** The route replaces this model name. */
const RENAMED: ModelTexts = { plain: `"our-4"`, escaped: `"our\\u002d4"`, first: `"other"` };
const NEW_NAME = `"qwen/\\"3\\""`;
const AT_THE_UPSTREAM: ModelTexts = { plain: NEW_NAME, escaped: NEW_NAME, first: NEW_NAME };

const MESSAGES = `"messages":[{"role":"user","content":"Hello"}]`;
const nested = `${"[".repeat(500)}{"":{}}${"]".repeat(500)}`;
const megabyte = "0123456789abcdef".repeat(65_536);

/** Bodies that a parser would not print as it read them. Each body has one effective model. */
const BODIES: Readonly<Record<string, (model: ModelTexts) => string>> = {
  "unsorted keys": (model) => `{"zebra":1,"model":${model.plain},"10":0,"9":0,${MESSAGES},"alpha":2}`,
  "long and odd numbers": (model) =>
    `{"model":${model.plain},${MESSAGES},"numbers":[123456789012345678901234567890,0.1000000000000000055511151231257827,` +
    `-0,-0.0,1E400,-1e-400,1.0,1e+2,100000000000000000000000.50]}`,
  "escapes of all kinds": (model) =>
    `{"model":${model.plain},${MESSAGES},"e":"\\u0000\\u0041\\/\\"\\\\\\b\\f\\n\\r\\t\\ud83d\\ude00\\uD800\\u2028"}`,
  "raw unicode": (model) =>
    `{"model":${model.plain},${MESSAGES},"ключ":"é e\u0301 😀 \u2028\u2029 \u007f \ufeff 日本"}`,
  "duplicate keys": (model) => `{"a":1,"model":${model.plain},"a":2,${MESSAGES},"a":1,"o":{"model":"x","model":"y"}}`,
  "duplicate models": (model) => `{"model":${model.first},${MESSAGES},"model" : ${model.plain} }`,
  "an escaped model": (model) => `{"mod\\u0065l":${model.escaped},${MESSAGES}}`,
  "odd spacing": (model) => `{\t"model"\t:  ${model.plain} ,\t\t${MESSAGES} \t, "x" : [ 1 ,2,\t3 ] , "y":{ } \t}`,
  "deep nesting": (model) => `{"model":${model.plain},"deep":${nested},${MESSAGES}}`,
  "empty keys": (model) => `{"":"","model":${model.plain},${MESSAGES},"":{"":[]},"x":{"":null}}`,
  "a string of 1 MB": (model) => `{"model":${model.plain},"long":"${megabyte}",${MESSAGES}}`,
};
const NAMES = Object.keys(BODIES);

/** Replies of an upstream that writes its JSON unusually. */
const REPLIES: Readonly<Record<string, string>> = {
  "unsorted keys": `{"z":1,"id":"x","10":0,"9":0,"a":2}`,
  "duplicate keys": `{"id":"a","id":"b","usage":{},"usage":{"total_tokens":1}}`,
  "big numbers": `{"n":[123456789012345678901234567890,-0,1E400,1.10,1e+2]}`,
  "line breaks": `{\r\n  "id": "x",\r\n\t"choices": [\r\n    1,\n\n    2\r\n  ]\r\n}\r\n`,
  "unicode, raw and escaped": `{"t":"é 😀 \u2028\u2029 \\ud83d\\ude00 \\ud800 \\u0000 \\n\\r"}`,
  "deep nesting": nested,
};

/** Returns lines whose own keys and custom_id are also written unusually. */
function inputOf(bodies: readonly string[]): string {
  return bodies
    .map(
      (body, index) =>
        `{ "body" :${body},\t"url":"/v1/chat/completions","custom_id":"\\u006c${String(index)}" , "method":"POST"}`,
    )
    .join("\n");
}

/** Returns the names of the bodies that did not reach the upstream as expected. */
async function changedOnTheWay(simulator: Simulator, batch: Batch, expected: readonly string[]): Promise<string[]> {
  const bodies = await Promise.all(expected.map((_, line) => simulator.body(`${batch.id}-${String(line)}-0`)));
  return NAMES.filter((_, index) => !Buffer.from(expected[index]!).equals(bodies[index]!));
}

/** Returns the raw lines of a file, with placeholders for the ids that are new in each line. */
async function rawLines(client: BatchClient, fileId: string | null): Promise<string[]> {
  const text = (await client.content(fileId ?? "")).toString("utf8");
  return text
    .split("\n")
    .map((line) => line.replace(/batch_req_[0-9a-f]{32}/, "ID").replace(/"request_id": "[^"]+"/, "R"));
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    routes: (baseUrl) => `
      upstreams: { local: { base_url: "${baseUrl}" } }
      models: { gpt-4: { upstream: local }, our-4: { upstream: local, as: 'qwen/"3"' } }
    `,
  });

  test.each([
    { what: "a request body without changes", written: KNOWN, expected: KNOWN },
    { what: "a request body in which only the renamed model has changed", written: RENAMED, expected: AT_THE_UPSTREAM },
  ])("sends the upstream $what", async ({ written, expected }) => {
    await simulator().configure({ keepBodies: 100 });
    const bodies = Object.values(BODIES);

    const client = createBatchClient(stack());
    const batch = await client.run(inputOf(bodies.map((body) => body(written))));
    const changed = await changedOnTheWay(
      simulator(),
      batch,
      bodies.map((body) => body(expected)),
    );

    expect(await client.lines(batch.error_file_id)).toEqual([]);
    expect(batch.request_counts).toEqual({ total: bodies.length, completed: bodies.length, failed: 0 });
    expect(changed).toEqual([]);
  });

  test.each([
    { file: "output", status: 200 },
    { file: "error", status: 422 },
  ] as const)(
    "keeps the upstream's reply in the $file file byte for byte, except for line breaks",
    async ({ file, status }) => {
      const replies = Object.values(REPLIES);
      await simulator().configure({
        faults: replies.map((body, index) => ({ match: `"reply-${String(index)}"`, status, body })),
      });
      const bodies = replies.map((_, index) => `{"model":"gpt-4","user":"reply-${String(index)}",${MESSAGES}}`);

      const client = createBatchClient(stack());
      const batch = await client.run(inputOf(bodies));
      const lines = await rawLines(client, file === "output" ? batch.output_file_id : batch.error_file_id);

      expect(lines).toEqual([
        ...replies.map(
          (reply, index) =>
            `{"id": "ID", "custom_id": "\\u006c${String(index)}", "response": {"status_code": ${String(status)}, R, ` +
            `"body": ${reply.replaceAll(/[\r\n]/g, "")}}, "error": null}`,
        ),
        "",
      ]);
    },
  );
});
