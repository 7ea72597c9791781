/** Compares docs/errors.md with the error catalogues, in both directions. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { BATCH_ENDPOINTS, errors, fileFaults, LINE_ERROR_CODES, lineFaults } from "@nightshift/domain";
import { answerOf } from "../middleware/error-handler.ts";
import { errorExamples } from "./error-examples.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../../../docs/errors.md"), "utf8");

/** The rows of the tables under a heading, cell by cell, without back ticks and escapes. */
function rowsUnder(heading: string): string[][] {
  const [, section = ""] = page.split(`## ${heading}\n`);
  const [own = ""] = section.split(/^## /m);
  return own
    .split("\n")
    .filter((line) => /^\| [`\d]/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll(/^`|`$/g, "").replaceAll(/\\(.)/g, "$1")),
    );
}

const rows = rowsUnder("Requests");
/** The type of each status: the table at the top of the page. */
const types = new Map(
  [...page.matchAll(/^\| (\d{3}(?:, \d{3})*) \| `(\w+_error)` \|/gm)].flatMap(([, statuses = "", type = ""]) =>
    statuses.split(", ").map((status): [string, string] => [status, type]),
  ),
);

test("the page has exactly one row for each case of the catalogue", () => {
  const messages = Object.values(errorExamples).map(({ message }) => message);

  expect(Object.keys(errorExamples).sort()).toEqual(Object.keys(errors).sort());
  expect(rows.map(([, , , message]) => message).sort()).toEqual(messages.sort());
});

test("the rows are sorted by status and code", () => {
  const keys = rows.map(([status, code]) => `${String(status)} ${code === "null" ? "" : String(code)}`);

  expect(keys).toEqual([...keys].sort());
});

test.each(Object.entries(errorExamples))(
  "the row of %s matches the reply of the API and says what to do",
  (_, example) => {
    const [status = "", code, param, message, whatToDo] = rows.find((row) => row[3] === example.message) ?? [];
    const answer = answerOf(example.facts.kind);

    expect([status, types.get(status), code, param, message]).toEqual([
      String(answer.status),
      answer.type,
      String(example.facts.code),
      String(example.facts.param),
      example.message,
    ]);
    expect(whatToDo).toMatch(/^[A-Z].{10,}\.$/);
  },
);

test("the page has exactly the fault codes of lines and files", () => {
  const faults = [
    ...Object.values(lineFaults).map((make) =>
      (make as (...args: unknown[]) => { code: string })(BATCH_ENDPOINTS[0], ""),
    ),
    ...Object.values(fileFaults).map((make) => (make as (...args: unknown[]) => { code: string })("")),
  ];

  expect(rowsUnder("Lines of an input file").map(([code]) => code)).toEqual([
    ...new Set(faults.map(({ code }) => code)),
  ]);
});

test("the page has exactly the codes of unanswered lines", () => {
  expect(rowsUnder("Lines of an error file").map(([code]) => code)).toEqual([...LINE_ERROR_CODES]);
});
