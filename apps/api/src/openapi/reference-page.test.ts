/** Holds docs/batch-file-api.md to the description: its examples to the schemas, its headings and statuses to the operations. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import { batchOperations } from "../routes/batches/operations.ts";
import { fileOperations } from "../routes/files/operations.ts";
import { buildDocument } from "./document.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../../../docs/batch-file-api.md"), "utf8");
const document = buildDocument([...fileOperations, ...batchOperations]);
const operations = [...fileOperations, ...batchOperations];

const examples = [...page.matchAll(/^```json ?(\w*)\n(.*?)^```/gms)].map(([, name = "", text = ""]) => ({
  name,
  text,
}));
const fieldsUnder = (heading: string): string[] => {
  const [, section = ""] = page.split(`${heading}\n`);
  return [...(section.split(/^#/m)[0] ?? "").matchAll(/^\| `([\w[\]]+)`/gm)].map(([, field = ""]) => field);
};

test.each(examples)("the example of $name is one", ({ name, text }) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { binary: true } });
  ajv.addSchema({ $id: "doc", ...document });
  const validate = ajv.compile({ $ref: `doc#/components/schemas/${name}` });

  validate(JSON.parse(text));

  expect(validate.errors).toBeNull();
});

test("every schema but those of lists and forms has an example", () => {
  const named = Object.keys(document.components["schemas"] as object);

  expect(examples.map(({ name }) => name)).toEqual(
    expect.arrayContaining(named.filter((name) => !/^(BatchList|UploadForm)$/.test(name))),
  );
});

test.each(operations)("$method $path has its place, with every parameter, field and status of its own", (operation) => {
  const heading = `### ${operation.method.toUpperCase()} ${operation.path}`;
  const [, section = ""] = page.split(`${heading}\n`);
  const own = section.split(/^#/m)[0] ?? "";
  const { responses } = document.paths[operation.path]![operation.method]!;
  const common = ["401", "405", "500", "503"];
  const statuses = Object.keys(responses).filter((status) => !common.includes(status));

  expect(
    statuses.filter((status) => !own.includes(status) && !(operation.id === "deleteFile" && status === "200")),
  ).toEqual([]);
  expect(fieldsUnder(heading).sort()).toEqual(
    [...Object.keys(operation.query?.properties ?? {}), ...bodyFields(operation.id)].sort(),
  );
});

function bodyFields(id: string): string[] {
  const schema = { createFile: "UploadForm", createBatch: "CreateBatchRequest" }[id];
  if (schema === undefined) return [];
  const schemas = document.components["schemas"] as Readonly<Record<string, { properties: object }>>;
  return Object.keys(schemas[schema]!.properties);
}
