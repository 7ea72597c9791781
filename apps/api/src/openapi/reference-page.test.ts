/** Compares docs/batch-file-api.md with the OpenAPI document: its examples, headings and statuses. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { DEFAULT_COMPLETION_WINDOWS } from "@nightshift/domain";
import { pageExamples } from "@nightshift/testing/pages";
import { Ajv2020 } from "ajv/dist/2020.js";
import { answerOf } from "../middleware/error-handler.ts";
import { batchOperationsWith } from "../routes/batches/operations.ts";
import { fileOperations } from "../routes/files/operations.ts";
import { buildDocument } from "./document.ts";
import { errorExamples } from "./error-examples.ts";
import type { Operation } from "../operation.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../../../docs/batch-file-api.md"), "utf8");
const operations = [...fileOperations, ...batchOperationsWith([DEFAULT_COMPLETION_WINDOWS])];
const document = buildDocument(operations);

const examples = pageExamples("docs/batch-file-api.md", "json").map(({ label, text }) => ({ name: label, text }));
const fieldsUnder = (heading: string): string[] => {
  const [, section = ""] = page.split(`${heading}\n`);
  return [...(section.split(/^#/m)[0] ?? "").matchAll(/^\| `([\w[\]]+)`/gm)].map(([, field = ""]) => field);
};

test.each(examples)("the example of $name matches its schema", ({ name, text }) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { binary: true } });
  ajv.addSchema({ $id: "doc", ...document });
  const validate = ajv.compile({ $ref: `doc#/components/schemas/${name}` });

  validate(JSON.parse(text));

  expect(validate.errors).toBeNull();
});

test("every schema has an example, except lists and forms", () => {
  const named = Object.keys(document.components["schemas"] as object);

  expect(examples.map(({ name }) => name)).toEqual(
    expect.arrayContaining(named.filter((name) => !/^(BatchList|UploadForm)$/.test(name))),
  );
});

test.each(operations)("$method $path has a section with every parameter, field and status", (operation) => {
  const heading = `### ${operation.method.toUpperCase()} ${operation.path}`;
  const [, section = ""] = page.split(`${heading}\n`);
  const own = section.split(/^#/m)[0] ?? "";
  const statuses = ownStatuses(operation);

  expect(
    statuses.filter((status) => !own.includes(status) && !(operation.id === "deleteFile" && status === "200")),
  ).toEqual([]);
  expect(fieldsUnder(heading).sort()).toEqual(
    [...Object.keys(operation.query?.properties ?? {}), ...bodyFields(operation.id)].sort(),
  );
});

test("the page lists the common statuses once", () => {
  const [, sentence = ""] = /^Any request can return (.*?)\. Other statuses/ms.exec(page) ?? [];
  const others = operations.map((operation) => {
    const own = ownStatuses(operation);
    const { responses } = document.paths[operation.path]![operation.method]!;
    return Object.keys(responses).filter((status) => !own.includes(status));
  });

  expect(sentence.match(/\b\d{3}\b/g)).toEqual([...new Set(others.flat())].sort());
});

/** The statuses of the operation itself. The document adds the statuses of its kind of key. */
function ownStatuses({ replies, errors }: Operation): string[] {
  const refusals = errors.map((name) => String(answerOf(errorExamples[name].facts.kind).status));
  return [...new Set([...Object.keys(replies), ...refusals])];
}

function bodyFields(id: string): string[] {
  const schema = { createFile: "UploadForm", createBatch: "CreateBatchRequest" }[id];
  if (schema === undefined) return [];
  const schemas = document.components["schemas"] as Readonly<Record<string, { properties: object }>>;
  return Object.keys(schemas[schema]!.properties);
}
