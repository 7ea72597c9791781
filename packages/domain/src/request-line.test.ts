/** Tests how a line is parsed: every fault of contract §3.4, and the body's unchanged bytes. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { BATCH_ENDPOINTS, type BatchEndpoint } from "./endpoints.ts";
import { bodyToSend, readRequestLine, toRequestLine, type RequestLine } from "./request-line.ts";

const CHAT = "/v1/chat/completions";
const body = { model: "small", messages: [] };
const good = { custom_id: "a", method: "POST", url: CHAT, body };

function faultsOf(line: unknown, endpoint: BatchEndpoint = CHAT): unknown[] {
  const text = typeof line === "string" ? line : JSON.stringify(line);
  const read = readRequestLine(Buffer.from(text), endpoint);
  return Array.isArray(read) ? read.map(({ code, param, message }) => [code, param, message]) : [];
}

function requestOf(text: string, endpoint: BatchEndpoint = CHAT): RequestLine {
  const read = readRequestLine(Buffer.from(text), endpoint);
  if (Array.isArray(read)) throw new Error(read.map(({ message }) => message).join(" "));
  return read;
}

const NOT_JSON = ["invalid_json_line", null, "This line is not parseable as valid JSON."];
const missing = (param: string): unknown[] => [
  "missing_required_parameter",
  param,
  `Missing required parameter: '${param.replace("body.", "")}'.`,
];
const wrongType = (param: string, expected: string): unknown[] => [
  "invalid_type",
  param,
  `Invalid type for '${param}': expected ${expected}.`,
];
const WRONG_URL = ["invalid_url", "url", "The URL provided for this request does not match the batch endpoint."];
const STREAMING = [
  "streaming_unsupported",
  "body.stream",
  "Chat Completions: Streaming is not supported in the Batch API.",
];

describe("faults", () => {
  test.each([
    ["text that is not JSON", "{", [NOT_JSON]],
    ["JSON followed by another character", `${JSON.stringify(good)}x`, [NOT_JSON]],
    ["an array", "[1]", [["invalid_json_line", null, expect.stringContaining("not a JSON object")]]],
    ["null", "null", [["invalid_json_line", null, expect.stringContaining("not a JSON object")]]],
    ["a string", '"x"', [["invalid_json_line", null, expect.stringContaining("not a JSON object")]]],
    ["an empty object", {}, ["custom_id", "method", "url", "body"].map(missing)],
    [
      "null for everything",
      { custom_id: null, method: null, url: null, body: null },
      ["custom_id", "method", "url", "body"].map(missing),
    ],
    ["a number as custom_id", { ...good, custom_id: 7 }, [wrongType("custom_id", "a string")]],
    [
      "an empty custom_id",
      { ...good, custom_id: "" },
      [["invalid_value", "custom_id", expect.stringMatching(/empty/)]],
    ],
    [
      "a custom_id of 513 characters",
      { ...good, custom_id: "é".repeat(513) },
      [["invalid_value", "custom_id", expect.stringMatching(/longer than 512 characters/)]],
    ],
    ["a custom_id of 512 characters", { ...good, custom_id: "é".repeat(512) }, []],
    [
      "a custom_id of 512 characters, all escaped",
      `{"custom_id":"${"\\u0061".repeat(512)}","method":"POST","url":"${CHAT}","body":${JSON.stringify(body)}}`,
      [],
    ],
    ["a number as method", { ...good, method: 7 }, [wrongType("method", "a string")]],
    ["another method", { ...good, method: "GET" }, [["invalid_value", "method", expect.stringContaining("'POST'")]]],
    ["a method in lower case", { ...good, method: "post" }, [["invalid_value", "method", expect.any(String)]]],
    ["a list as url", { ...good, url: [] }, [wrongType("url", "a string")]],
    ["another url", { ...good, url: "/v1/embeddings" }, [WRONG_URL]],
    ["a url with one slash too many", { ...good, url: `${CHAT}/` }, [WRONG_URL]],
    ["text as body", { ...good, body: "{}" }, [wrongType("body", "an object")]],
    ["a list as body", { ...good, body: [] }, [wrongType("body", "an object")]],
    ["an empty body", { ...good, body: {} }, ["body.model", "body.messages"].map(missing)],
    ["a number as model", { ...good, body: { ...body, model: 5 } }, [wrongType("body.model", "a string")]],
    ["streaming", { ...good, body: { ...body, stream: true } }, [STREAMING]],
    ["streaming as a string", { ...good, body: { ...body, stream: "false" } }, [STREAMING]],
  ])("%s", (_name, line, expected) => {
    expect(faultsOf(line)).toEqual(expected);
  });

  test("say that the bytes are not UTF-8", () => {
    const bytes = Buffer.concat([Buffer.from('{"custom_id":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);

    expect(readRequestLine(bytes, CHAT)).toEqual([
      { code: "invalid_json_line", param: null, message: expect.stringContaining("UTF-8") },
    ]);
  });

  test("are reported all together", () => {
    const line = { custom_id: 1, method: "PUT", url: "/v2", body: { stream: true } };

    expect(faultsOf(line).map((fault) => (fault as unknown[]).slice(0, 2))).toEqual([
      ["invalid_type", "custom_id"],
      ["invalid_value", "method"],
      ["invalid_url", "url"],
      ["missing_required_parameter", "body.model"],
      ["missing_required_parameter", "body.messages"],
      ["streaming_unsupported", "body.stream"],
    ]);
  });

  test.each([
    ["/v1/chat/completions", ["body.model", "body.messages"]],
    ["/v1/embeddings", ["body.model", "body.input"]],
    ["/v1/completions", ["body.model", "body.prompt"]],
    ["/v1/responses", ["body.model"]],
    ["/v1/moderations", ["body.input"]],
    ["/v1/images/generations", ["body.prompt"]],
    ["/v1/images/edits", ["body.prompt"]],
    ["/v1/videos", ["body.prompt"]],
  ] as const)("%s needs %j", (endpoint, params) => {
    expect(faultsOf({ ...good, url: endpoint, body: {} }, endpoint)).toEqual(params.map(missing));
    expect(BATCH_ENDPOINTS).toContain(endpoint);
  });
});

describe("a valid line", () => {
  test.each([
    ["may have unknown keys", { ...good, priority: 1, body: { ...body, seed: 1e300 } }],
    ["may have stream: false or stream: null", { ...good, body: { ...body, stream: false, stream_options: null } }],
  ])("%s", (_name, line) => {
    expect(faultsOf(line)).toEqual([]);
  });

  test("may have escapes in keys and values", () => {
    const line = String.raw`{"custom\u005fid":"a","method":"\u0050OST","url":"\/v1\/chat\/completions","body":{"\u006dodel":"sm\u0061ll","messages":[]}}`;

    expect(requestOf(line)).toMatchObject({ model: "small", customId: Buffer.from('"a"') });
  });

  test("takes the last of duplicate keys, as JSON.parse does", () => {
    const line = `{"custom_id":1,"custom_id":"b","method":"GET","method":"POST","url":"","url":"${CHAT}","body":[],"body":{"model":1,"model":"x","messages":[]}}`;

    const request = requestOf(line);

    expect(request.customId.toString()).toBe('"b"');
    expect(request.model).toBe("x");
    expect(faultsOf(line.replace('"x"', "null"))).toEqual([missing("body.model")]);
  });

  test("needs no model if the endpoint does not require one", () => {
    const line = { ...good, url: "/v1/moderations", body: { input: "x" } };

    expect(requestOf(JSON.stringify(line), "/v1/moderations").model).toBeNull();
  });
});

describe("the body to send", () => {
  const line = (inner: string): string =>
    ` {"custom_id" : "é\\u00e9", "body": ${inner} ,"method":"POST","url":"${CHAT}"} `;

  test("keeps the line's bytes: spacing, order, long numbers and duplicates", () => {
    const inner = '{ "seed":12345678901234567890.10 ,"messages":[ 1e0 ],"a":1,"a":2,\t"model":"m" }';

    const request = requestOf(line(inner));

    expect(bodyToSend(request, null).toString()).toBe(inner);
    expect(bodyToSend(request, "m").toString()).toBe(inner);
    expect(request.customId.toString()).toBe('"é\\u00e9"');
  });

  test("has the routed name for every top-level model, and no other change", () => {
    const inner = String.raw`{"model":"old" , "x":{"model":"inner"},"messages":["model"], "\u006dodel" : "o\u006cd","model":"old"}`;

    expect(bodyToSend(requestOf(line(inner)), 'new "é').toString()).toBe(
      String.raw`{"model":"new \"é" , "x":{"model":"inner"},"messages":["model"], "\u006dodel" : "new \"é","model":"new \"é"}`,
    );
  });

  test("gets no model if it had none", () => {
    const inner = '{"input":"x"}';
    const request = requestOf(line(inner).replace(CHAT, "/v1/moderations"), "/v1/moderations");

    expect(bodyToSend(request, "routed").toString()).toBe(inner);
  });

  test("parses to the same value except for the model", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.string(), (rest, from, to) => {
        const sent = { ...rest, model: from, messages: [] };
        const request = requestOf(JSON.stringify({ ...good, body: sent }));
        expect(JSON.parse(bodyToSend(request, to).toString())).toEqual(
          JSON.parse(JSON.stringify({ ...sent, model: to })),
        );
        expect(bodyToSend(request, null).toString()).toBe(JSON.stringify(sent));
      }),
    );
  });
});

test("toRequestLine reads a validated line the same way again, and refuses any other", () => {
  const bytes = Buffer.from(JSON.stringify(good));

  expect(toRequestLine(bytes)).toEqual(readRequestLine(bytes, CHAT));
  expect(() => toRequestLine(Buffer.from("{}"))).toThrow("did not pass validation");
});
