/** Compares lists that stand in several places, where the compiler cannot. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { BATCH_ENDPOINTS } from "@nightshift/domain";
import { KNOWN_VARIABLES } from "@nightshift/service";
import { UpstreamVariables } from "@nightshift/upstream";
import { findEndpoint } from "../../apps/simulator/src/replies/find-endpoint.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

test.each(BATCH_ENDPOINTS)("the simulator replies to %s", (endpoint) => {
  expect(findEndpoint(endpoint)).not.toBeNull();
});

test("the API reference lists every endpoint that batches can use", () => {
  const [row = ""] = /^\| `endpoint` \|.*yes.*$/m.exec(read("docs/batch-file-api.md")) ?? [];

  expect([...row.matchAll(/`(\/v1\/[^`]*)`/g)].map(([, endpoint]) => endpoint).sort()).toEqual(
    [...BATCH_ENDPOINTS].sort(),
  );
});

test.each(["tests/e2e/contract/rows/batches.ts", "tests/e2e/fuzzed-files.ts"])("%s tests every endpoint", (file) => {
  const text = read(file);

  expect(BATCH_ENDPOINTS.filter((endpoint) => !text.includes(`"${endpoint}"`))).toEqual([]);
});

test("every variable of an upstream is described in KNOWN_VARIABLES", () => {
  expect(Object.keys(KNOWN_VARIABLES)).toEqual(expect.arrayContaining(Object.keys(UpstreamVariables)));
});
