/** Compares the operations with the routes, and docs/openapi-batch-file.yaml with the document. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { NO_TIERS } from "@nightshift/domain";
import { createMetrics } from "@nightshift/service";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { ADMIN_API_PATH, adminTable, type ApiDeps, routeTable } from "../app.ts";
import { createKeyRing } from "../middleware/authenticate.ts";
import { createTenantLimits } from "../tiers/tenant-limits.ts";
import { buildDocument, renderYaml } from "./document.ts";
import { errorExamples } from "./error-examples.ts";
import { operations } from "./operations.ts";
import { serviceOperations } from "./service-operations.ts";

const document = buildDocument(operations);

/** Turns `/v1/files/:file_id` of Express into the notation of OpenAPI. */
const spelled = (pattern: string): string => pattern.replaceAll(/:(\w+)/g, "{$1}");

/** Method and path of every route. The handlers are never called, so they need few dependencies. */
function routesOfApp(): string[] {
  const given: Partial<ApiDeps> = { metrics: createMetrics(), completionWindows: new Map() };
  const deps = given as ApiDeps;
  const tables: Record<string, Readonly<Record<string, object>>> = {
    "": routeTable(deps, createTenantLimits({ ...deps, tiers: NO_TIERS })),
    [ADMIN_API_PATH]: adminTable(deps, createKeyRing(deps)),
  };
  return Object.entries(tables).flatMap(([prefix, table]) =>
    Object.entries(table).flatMap(([pattern, handlers]) =>
      Object.keys(handlers).map((method) => `${method} ${spelled(prefix + pattern)}`),
    ),
  );
}

describe("operations", () => {
  const described = operations.map(({ method, path: where }) => `${method} ${where}`);

  test("exist for every route: add an Operation to operations.ts in its folder, and list it in openapi/operations.ts", () => {
    expect(routesOfApp().filter((route) => !described.includes(route))).toEqual([]);
  });

  test("each have a route in app.ts", () => {
    const withoutKey = serviceOperations.map(({ method, path: where }) => `${method} ${where}`);

    expect(described.filter((one) => !routesOfApp().includes(one) && !withoutKey.includes(one))).toEqual([]);
  });

  test("are unique, and so are their ids", () => {
    expect(new Set(described).size).toBe(described.length);
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
  });

  test.each(operations)("$id has exactly the parameters of its path", ({ path: where, params }) => {
    const inPath = [...where.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

    expect(Object.keys(params?.properties ?? {})).toEqual(inPath);
  });
});

test("docs/openapi-batch-file.yaml is up to date (run npm run docs:openapi)", () => {
  const file = path.resolve(import.meta.dirname, "../../../../docs/openapi-batch-file.yaml");

  expect(readFileSync(file, "utf8")).toBe(renderYaml(document));
});

test("the YAML equals the document, and has every schema that it refers to", () => {
  const text = renderYaml(document);
  const names = Object.keys(document.components["schemas"] as object);
  const referred = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);

  expect(parse(text)).toEqual(JSON.parse(JSON.stringify(document)));
  expect([...new Set(referred)].sort()).toEqual(names.sort());
});

test("every schema is valid JSON Schema 2020-12, and every error example matches its schema", () => {
  const ajv = new Ajv2020({ strict: false, formats: { binary: true } });
  ajv.addSchema({ $id: "doc", ...document });
  const failures: string[] = [];
  for (const [where, methods] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        for (const [type, { schema, examples = {} }] of Object.entries(content)) {
          if (schema === undefined) continue;
          const at = `${where.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}/responses/${status}/content/${type.replaceAll("/", "~1")}`;
          const validate = ajv.compile({ $ref: `doc#/paths/${encodeURI(at)}/schema` });
          for (const [name, example] of Object.entries(examples)) {
            if (!validate((example as { value: unknown }).value)) failures.push(`${method} ${where} ${status} ${name}`);
          }
        }
      }
    }
  }

  expect(failures).toEqual([]);
});

const jsonBodies = operations.flatMap(({ id, body }) =>
  body?.mediaType === "application/json" ? [{ id, schema: body.schema, example: body.example }] : [],
);

test.each(jsonBodies)("$id accepts its example", ({ schema, example }) => {
  const validate = new Ajv2020({ strict: false }).compile(schema);

  expect({ isValid: validate(example), errors: validate.errors }).toEqual({ isValid: true, errors: null });
});

test("every error belongs to an operation, except the errors of the dashboard and of malformed HTTP", () => {
  const text = renderYaml(document);
  const unused = Object.keys(errorExamples).filter((name) => !text.includes(`                ${name}:\n`));

  expect(unused.sort()).toEqual(["adminOnly", "crossSite", "headTooLarge", "malformedHttp", "requestTooSlow"]);
});
