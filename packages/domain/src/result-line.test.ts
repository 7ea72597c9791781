/** Tests result lines (contract §4.3 and §4.4), which contain the upstream's own bytes. */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { answeredLine, quotedBody, type ResultLine, unansweredLine, UNFINISHED } from "./result-line.ts";

const customId = Buffer.from(String.raw`"a\u00e9é\""`);
const written = ({ pieces, length }: ResultLine): string => {
  const bytes = Buffer.concat(pieces);
  expect(bytes).toHaveLength(length);
  return bytes.toString();
};
const answered = (body: string, status = 200): string =>
  written(answeredLine("batch_req_1", customId, { status, requestId: 'r"1', body: Buffer.from(body) }));

test("an answered line has the four keys in OpenAI's order, and custom_id and body as written", () => {
  const body = String.raw`{ "n":12345678901234567890.10,"a":1,"a":2, "s":"\u00e9" }`;

  expect(answered(body)).toBe(
    String.raw`{"id": "batch_req_1", "custom_id": "a\u00e9é\"", "response": {"status_code": 200, "request_id": "r\"1", "body": ${body}}, "error": null}` +
      "\n",
  );
});

test("only line breaks between the body's tokens are left out", () => {
  expect(answered('\r\n{\n  "a": "b\\nc",\r\n\t"d": [1,\n2] }\n')).toContain(
    '"body": {  "a": "b\\nc",\t"d": [1,2] }}, "error"',
  );
});

test("any JSON of an upstream becomes one line that parses to the same value", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(0, 2, "\t"),
      fc.constantFrom("\n", "\r\n"),
      fc.nat(599),
      (value, indent, eol, status) => {
        const body = JSON.stringify(value, null, indent).replaceAll("\n", eol);
        const line = answered(body, status);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(line).not.toContain("\r");
        expect(JSON.parse(line)).toEqual({
          id: "batch_req_1",
          custom_id: 'aéé"',
          response: { status_code: status, request_id: 'r"1', body: JSON.parse(body) as unknown },
          error: null,
        });
      },
    ),
  );
});

test.each([
  [UNFINISHED.expired, "batch_expired", "This request could not be executed before the completion window expired."],
  [UNFINISHED.cancelled, "batch_cancelled", expect.any(String)],
  [{ code: "upstream_error", message: 'a "quote"\nand a break' } as const, "upstream_error", 'a "quote"\nand a break'],
])("a line without a reply says why: %o", (error, code, message) => {
  const line = written(unansweredLine("batch_req_1", customId, error));

  expect(
    line.startsWith(String.raw`{"id": "batch_req_1", "custom_id": "a\u00e9é\"", "response": null, "error": {`),
  ).toBe(true);
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(JSON.parse(line)).toMatchObject({ response: null, error: { code, message } });
});

test("a body that is not JSON is quoted in an error object of bounded size", () => {
  const read = (body: Buffer): { error: { message: string } } =>
    JSON.parse(quotedBody(body).toString()) as { error: { message: string } };

  expect(read(Buffer.from('<h1>"502"\n</h1>'))).toEqual({
    error: { message: '<h1>"502"\n</h1>', type: "upstream_error", param: null, code: null },
  });
  expect(read(Buffer.alloc(0)).error.message).toMatch(/no body/);
  expect(read(Buffer.from([0xff, 0x41])).error.message).toBe("\ufffdA");
  expect(read(Buffer.from("é".repeat(1_000_000))).error.message).toBe("é".repeat(4_000));
});
