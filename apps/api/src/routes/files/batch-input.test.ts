/** The verdict on the first line of an upload, regardless of chunk boundaries. */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createFirstLine, type FirstLineVerdict } from "./batch-input.ts";

function judge(...chunks: (string | Uint8Array)[]): FirstLineVerdict {
  const firstLine = createFirstLine();
  for (const chunk of chunks) firstLine.push(Buffer.from(chunk));
  return firstLine.end();
}

test.each([
  ['{"a":1}\n'],
  ['{"a":1}'],
  ['{"a":1}\r\nnot json at all'],
  ['\n \t\r\n\n{"a":1}\n'],
  ['\uFEFF{"a":1}\n'],
  ['\uFEFF\n{"a":1}\n'],
  ["[1]\n"],
  ["null"],
  ['"text"\n'],
  ["12\n"],
])("%j is JSON", (text) => {
  expect(judge(text)).toBe("json");
});

test.each([[""], ["\n\n \r\n"], ["a,b,c\n1,2,3\n"], ['{"a":1\n"b":2}\n'], ["{\n}\n"], ['{"a":1} x\n'], ["\u0000{}\n"]])(
  "%j is not JSON",
  (text) => {
    expect(judge(text)).toBe("not_json");
  },
);

test("a line that is not UTF-8 is not JSON", () => {
  expect(judge(Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]))).toBe("not_json");
});

test("keeps its verdict once the first line has ended", () => {
  const firstLine = createFirstLine();

  expect(firstLine.push(Buffer.from('{"a"'))).toBe("undecided");
  expect(firstLine.push(Buffer.from(":1}\nrubbish"))).toBe("json");
  expect(firstLine.push(Buffer.from("more rubbish\n"))).toBe("json");
  expect(firstLine.end()).toBe("json");
});

test("gives the same bytes the same verdict, regardless of chunk boundaries", () => {
  fc.assert(
    fc.property(
      fc.constantFrom('\uFEFF\n\n{"ключ":"значение 🙂"}\r\nrest', "no json\n{}\n", " \n\t\n", '["x"]'),
      fc.array(fc.nat({ max: 40 })),
      (text, cuts) => {
        const bytes = Buffer.from(text);
        const places = [...cuts, bytes.length].sort((a, b) => a - b);
        const chunks = places.map((place, i) => bytes.subarray(places[i - 1] ?? 0, place));

        expect(judge(...chunks)).toBe(judge(bytes));
      },
    ),
  );
});

test.each([
  ["{", "json"],
  ["x", "not_json"],
] as const)("judges a first line that begins with %s as %s when it exceeds 1 MiB", (begin, verdict) => {
  const firstLine = createFirstLine();

  expect(firstLine.push(Buffer.from(begin.padEnd(1024 * 1024, "a")))).toBe("undecided");
  expect(firstLine.push(Buffer.from("a"))).toBe(verdict);
});
