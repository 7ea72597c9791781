/** Compares the scanner with JSON.parse. Both must accept the same texts and find the same members. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isJson, lastMember, scanArray, scanObject } from "./json-scan.ts";

type Parsed = { ok: true; value: unknown } | { ok: false };

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads an object with the scanner. As in JSON.parse, the last of several members with the same key counts. */
function rebuilt(bytes: Buffer): Map<string, unknown> | null {
  const members = scanObject(bytes);
  return (
    members && new Map(members.map(({ key, start, end }) => [key, JSON.parse(bytes.toString("utf8", start, end))]))
  );
}

function expectAgreement(text: string): void {
  const bytes = Buffer.from(text);
  const parsed = parse(text);
  expect({ text, isJson: isJson(bytes) }).toEqual({ text, isJson: parsed.ok });
  const expected = parsed.ok && isObject(parsed.value) ? new Map(Object.entries(parsed.value)) : null;
  expect({ text, members: rebuilt(bytes) }).toEqual({ text, members: expected });
}

/** Generates JSON texts with white space between their tokens. */
const jsonText = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 1, "\t"), fc.constantFrom("", " ", "\r\n", "\t \n"))
  .map(([text, indent, around]) => around + JSON.stringify(JSON.parse(text), null, indent) + around);

test("reads JSON with any white space as JSON.parse does", () => {
  fc.assert(fc.property(jsonText, expectAgreement), { numRuns: 500 });
});

test("counts the items of an array as JSON.parse does", () => {
  const array = fc.tuple(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.constantFrom(undefined, 1, "\t"));
  fc.assert(
    fc.property(array, ([items, indent]) => {
      const bytes = Buffer.from(JSON.stringify(items, null, indent));
      const scanned = scanArray(bytes, 0, bytes.length);
      expect(scanned?.length).toBe(items.length);
      const first = items.length === 0 ? "]" : JSON.stringify(items[0]).slice(0, 1);
      expect(scanned?.first).toBe(first.charCodeAt(0));
    }),
  );
  expect(scanArray(Buffer.from(`{"a":1}`), 0, 7)).toBeNull();
});

test("accepts and refuses mutated JSON as JSON.parse does", () => {
  const put = fc.oneof(
    fc.constantFrom("", "\\u", "\\ud800", "null", "\ufeff", "😀", "é", "\u2028"),
    fc.string({ unit: fc.constantFrom(...'{}[],:"\\/-+.019eEtruefalsn \t\n\r\0\u001f\u007f'.split("")), maxLength: 1 }),
  );
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat(2),
    put,
  });
  fc.assert(
    fc.property(jsonText, fc.array(mutation, { minLength: 1, maxLength: 3 }), (text, mutations) => {
      let mutated = text;
      for (const { at, removed, put: inserted } of mutations) {
        const index = Math.floor(at * mutated.length);
        mutated = mutated.slice(0, index) + inserted + mutated.slice(index + removed);
      }
      expectAgreement(Buffer.from(mutated).toString());
    }),
    { numRuns: 1_500 },
  );
});

test("accepts and refuses short texts of JSON's characters as JSON.parse does", () => {
  const text = fc.string({ unit: fc.constantFrom(...'{}[],:"\\a1-0.eE+ u'.split("")), maxLength: 12 });
  fc.assert(fc.property(text, expectAgreement), { numRuns: 1_500 });
});

test.each([
  "",
  " ",
  "0",
  "-",
  "-0",
  "01",
  "1.",
  ".5",
  "1e",
  "1E+",
  "1e-07",
  "-1.5E+3",
  "tru",
  "truex",
  "nul",
  '"',
  '"\\',
  '"\\u12',
  '"\\u12G4"',
  '"\\u\u00114"',
  '"\\x"',
  '"\t"',
  '"\u007f"',
  "{",
  "{}{}",
  "{,}",
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{"a":1 "b":2}',
  "{a:1}",
  "[1,]",
  "[,1]",
  "[1}",
  '{"a":[1}',
  "[]]",
  "\ufeff{}",
  '{"\\ud800":1}',
  '{"":{"":""}}',
  '{"__proto__":1}',
  '{"a":1,"\\u0061":2,"a":3}',
])("%j", (text) => {
  expectAgreement(text);
});

describe("members", () => {
  test("have the spans of their values, unescaped keys, and duplicates in the order of the text", () => {
    const text = ' { "a" : 1.0 , "b":[ 2 ], "\\u0061":"x" } ';

    const members = scanObject(Buffer.from(text));

    expect(members?.map(({ key, start, end }) => [key, text.slice(start, end)])).toEqual([
      ["a", "1.0"],
      ["b", "[ 2 ]"],
      ["a", '"x"'],
    ]);
    expect(lastMember(members ?? [], "a")).toBe(members?.[2]);
    expect(lastMember(members ?? [], "c")).toBeUndefined();
  });

  test("of part of a buffer are found without reading past its end", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 2 }), fc.json({ maxDepth: 2 }), (text, tail) => {
        const whole = Buffer.from(text + tail);
        const start = Math.min(3, Buffer.byteLength(text));
        for (let end = start; end <= Buffer.byteLength(text); end += 1) {
          const piece = Buffer.from(whole.subarray(start, end));
          const shifted = scanObject(piece)?.map((m) => ({ ...m, start: m.start + start, end: m.end + start })) ?? null;
          expect(scanObject(whole, start, end)).toEqual(shifted);
          expect(isJson(whole, start, end)).toBe(isJson(piece));
        }
      }),
    );
  });
});

test("200,000 levels of nesting do not overflow the stack", () => {
  const deep = (open: string, close: string): Buffer => Buffer.from(open.repeat(200_000) + "1" + close.repeat(200_000));

  expect(isJson(deep("[", "]"))).toBe(true);
  expect(isJson(deep('{"a":', "}"))).toBe(true);
  expect(isJson(deep('[{"a":', "}]"))).toBe(true);
  expect(isJson(Buffer.from("[".repeat(200_000)))).toBe(false);
  expect(scanObject(deep('{"a":', "}"))).toEqual([{ key: "a", start: 5, end: 200_000 * 6 }]);
});
