import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createInputValidator, type InputReport } from "./input-validator.ts";
import { readSpan, spanCount } from "./line-index.ts";
import { MAX_BATCH_LINES, MAX_REPORTED_ERRORS } from "./limits.ts";

const CHAT = "/v1/chat/completions";

function line(customId: string, model: string | null = "small"): string {
  const body = model === null ? { input: "x" } : { model, messages: [] };
  return JSON.stringify({ custom_id: customId, method: "POST", url: CHAT, body });
}

function check(text: string | Buffer, maxLines?: number): InputReport {
  const validator = createInputValidator(CHAT, maxLines);
  validator.push(Buffer.from(text));
  return validator.end();
}

const codes = ({ errors }: InputReport): unknown[] => errors.map((error) => [error.line, error.code, error.param]);

test("reports the total, the model and the place of each line of a valid file", () => {
  const texts = [line("a"), line("é"), line("c")];
  const file = Buffer.from(`\ufeff\n${texts.join("\r\n\r\n")}`);

  const report = check(file);

  expect(report).toMatchObject({ errors: [], total: 3, model: "small", modelLine: 2, firstByte: 4 });
  expect(spanCount(report.index)).toBe(3);
  expect(
    texts
      .map((_, i) => readSpan(report.index, i))
      .map(({ offset, length }) => file.toString("utf8", offset, offset + length)),
  ).toEqual(texts);
});

test("reports one error for each fault, in line order, with line numbers that count blank lines", () => {
  const report = check([line("a"), "", "{", "[]", line("b").replace("POST", "GET"), "{}", line("c")].join("\n"));

  expect(codes(report)).toEqual([
    [3, "invalid_json_line", null],
    [4, "invalid_json_line", null],
    [5, "invalid_value", "method"],
    [6, "missing_required_parameter", "custom_id"],
    [6, "missing_required_parameter", "method"],
    [6, "missing_required_parameter", "url"],
    [6, "missing_required_parameter", "body"],
  ]);
  expect(report.total).toBe(6);
});

describe("across lines", () => {
  test("finds a duplicate custom_id however it is escaped", () => {
    const escaped = line("abc").replace('"abc"', '"\\u0061b\\u0063"');

    expect(codes(check([line("abc"), line("abd"), escaped, line("abc")].join("\n")))).toEqual([
      [3, "duplicate_custom_id", "custom_id"],
      [4, "duplicate_custom_id", "custom_id"],
    ]);
  });

  test("tells equal and different ids apart in every case", () => {
    const id = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }),
      fc.constantFrom('"', '\\"', "\\", "\\u0061", "a"),
    );
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 10 }), (ids) => {
        const report = check(ids.map((customId) => line(customId)).join("\n"));
        expect(report.errors).toHaveLength(ids.length - new Set(ids).size);
      }),
    );
  });

  test("reports a model that differs from the first, with its line and name", () => {
    const report = check([line("a"), line("b", "large"), line("c"), line("d", "large")].join("\n"));

    expect(codes(report)).toEqual([
      [2, "mismatched_model", "body.model"],
      [4, "mismatched_model", "body.model"],
    ]);
    expect(report.errors[0]?.message).toContain("'large'");
    expect(report).toMatchObject({ model: "small", modelLine: 1 });
  });

  test("does not compare a line that has a fault of its own with other lines", () => {
    const faulty = line("a", "large").replace("POST", "GET");

    expect(check([faulty, line("a"), line("b")].join("\n"))).toMatchObject({
      errors: [{ code: "invalid_value", line: 1 }],
      model: "small",
      modelLine: 2,
    });
  });
});

describe("limits", () => {
  test(`lists the first ${String(MAX_REPORTED_ERRORS)} errors, and one that says how many were left out`, () => {
    const at = (count: number): InputReport => check("{\n".repeat(count));

    expect(at(100).errors).toHaveLength(100);
    const report = at(137);
    expect(report.errors).toHaveLength(101);
    expect(report.errors[99]).toMatchObject({ line: 100, code: "invalid_json_line" });
    expect(report.errors[100]).toMatchObject({ line: null, code: "too_many_errors", param: null });
    expect(report.errors[100]?.message).toContain("37 more");
  });

  test(`accepts ${String(MAX_BATCH_LINES)} requests and refuses one more, even a faulty one`, () => {
    const validator = createInputValidator(CHAT);
    for (let i = 0; i < MAX_BATCH_LINES; i += 1) validator.push(Buffer.from(`${line(String(i))}\n\n`));
    expect(validator.isHopeless()).toBe(false);
    validator.push(Buffer.from("{"));

    const report = validator.end();

    expect(validator.isHopeless()).toBe(true);
    expect(codes(report)).toEqual([[null, "too_many_tasks", null]]);
    expect(report.errors[0]?.message).toContain("50000");
    expect(check(Array.from({ length: 3 }, (_, i) => line(String(i))).join("\n"), 3).errors).toEqual([]);
  });

  test("lists too many lines before the faults of the lines", () => {
    expect(codes(check("{\n{\n{\n", 2))).toEqual([
      [null, "too_many_tasks", null],
      [1, "invalid_json_line", null],
      [2, "invalid_json_line", null],
    ]);
  });

  describe("of embedding inputs", () => {
    const embeddings = (...inputs: unknown[]): InputReport => {
      const validator = createInputValidator("/v1/embeddings");
      for (const [i, input] of inputs.entries()) {
        const body = { model: "e", input };
        const request = { custom_id: String(i), method: "POST", url: "/v1/embeddings", body };
        validator.push(Buffer.from(`${JSON.stringify(request)}\n`));
      }
      return validator.end();
    };
    const texts = (count: number): string[] => Array.from({ length: count }, () => 't, ["]');

    test.each([
      ["texts", texts(49_999)],
      ["lists of tokens", Array.from({ length: 49_999 }, () => [1, 2])],
    ])("accepts 50,000 in all lines together and refuses one more: %s", (_kind, many) => {
      expect(embeddings(many, "one").errors).toEqual([]);
      expect(embeddings(many, "one", "two").errors).toEqual([
        {
          code: "too_many_inputs",
          message: expect.stringContaining("more than 50000 embedding inputs"),
          param: null,
          line: null,
        },
      ]);
    });

    test("counts a list of tokens as one input, and so does a value that the upstream will refuse", () => {
      const tokens = Array.from({ length: 60_000 }, (_, i) => i);

      expect(embeddings(texts(49_997), tokens, { a: 1 }, 5, []).errors).toEqual([]);
    });

    test("counts no inputs for other endpoints", () => {
      const moderation = { model: "m", input: texts(50_001) };
      const validator = createInputValidator("/v1/moderations");
      validator.push(
        Buffer.from(JSON.stringify({ custom_id: "a", method: "POST", url: "/v1/moderations", body: moderation })),
      );

      expect(validator.end().errors).toEqual([]);
    });
  });

  test.each(["", "\n\n", "\ufeff", " \r\n\t"])("reports a file without requests as empty: %j", (text) => {
    expect(check(text)).toMatchObject({
      errors: [{ code: "empty_file", line: null }],
      total: 0,
      model: null,
      firstByte: 0,
    });
    expect(check(text).index).toHaveLength(0);
  });
});

test("gives the same report for any chunks", () => {
  const file = Buffer.from([line("a"), "{", "", line("a"), line("é", "large"), "[]"].join("\r\n"));
  fc.assert(
    fc.property(fc.array(fc.nat(file.length), { maxLength: 6 }), (cuts) => {
      const validator = createInputValidator(CHAT);
      const at = [0, ...cuts, file.length].sort((a, b) => a - b);
      for (const [i, end] of at.slice(1).entries()) validator.push(Uint8Array.from(file.subarray(at[i], end)));
      expect(validator.end()).toEqual(check(file));
    }),
  );
});
