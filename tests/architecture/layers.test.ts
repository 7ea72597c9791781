/** Holds the layers: who may import whom among our packages, and which package alone knows an outside thing. */
import { expect, test } from "@jest/globals";
import { packageOf, readSources, readWorkspaces } from "./sources.ts";

/** Arrows point downwards only: each workspace with all of ours that it may import. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  "local-postgres": [],
  service: ["domain"],
  storage: ["domain"],
  db: ["domain"],
  queue: ["domain", "service"],
  upstream: ["domain"],
  webhooks: ["domain"],
  backends: ["db", "domain", "queue", "service", "storage"],
  testing: ["db", "local-postgres", "service"],
  simulator: ["service"],
  api: ["backends", "db", "domain", "queue", "service", "storage", "upstream", "webhooks"],
  // With no upstream configured, the worker starts the simulator as a process.
  worker: ["backends", "db", "domain", "queue", "service", "simulator", "storage", "upstream", "webhooks"],
  cli: ["domain", "local-postgres", "service"],
  bench: ["testing"],
};

/** Outside things and the packages that alone may know them, so that replacing one touches one place. */
const KNOWN_ONLY_TO: readonly { readonly library: RegExp; readonly owners: readonly string[] }[] = [
  { library: /^bullmq$/, owners: ["queue"] },
  { library: /^ioredis$/, owners: ["queue", "testing"] },
  { library: /^pg$/, owners: ["db", "queue", "local-postgres", "testing"] },
  { library: /^@aws-sdk\//, owners: ["storage"] },
  // The bare loop is the baseline of the benchmarks; a test asks a process for its memory over a web socket, which Node 20 lacks.
  { library: /^undici$/, owners: ["upstream", "bench", "testing"] },
  { library: /^(standardwebhooks|ipaddr\.js)$/, owners: ["webhooks"] },
  { library: /^ajv/, owners: ["domain", "service", "queue", "upstream", "api", "simulator"] },
  { library: /^@bull-board\//, owners: ["api"] },
  { library: /^openai$/, owners: ["cli"] },
  { library: /^(testcontainers$|@testcontainers\/|@jest\/)/, owners: ["testing"] },
];

const workspaces = readWorkspaces();
const sources = workspaces.flatMap(readSources);
const shortName = (name: string): string => name.replace("@nightshift/", "");

test("every workspace has its place in the layers", () => {
  expect(workspaces.map(({ name }) => shortName(name)).sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

test.each(workspaces)("$name depends only on the layers below it", ({ name, dependencies }) => {
  const ours = dependencies.filter((dependency) => dependency.startsWith("@nightshift/")).map(shortName);

  expect(MAY_IMPORT[shortName(name)]).toEqual(expect.arrayContaining(ours));
});

test.each(workspaces)("$name imports only what its package.json declares, by its public name", (workspace) => {
  const declared = new Set(workspace.dependencies);
  const faults = readSources(workspace).flatMap(({ file, imports }) =>
    imports
      .filter((imported) => {
        const name = packageOf(imported);
        const leavesPackage = name === null && imported.startsWith(".") && imported.includes("/packages/");
        return leavesPackage || (name !== null && !declared.has(name));
      })
      .map((imported) => `${file} imports ${imported}`),
  );

  expect(faults).toEqual([]);
});

test.each(KNOWN_ONLY_TO)("only $owners import $library", ({ library, owners }) => {
  const faults = sources
    .filter(
      ({ workspace, imports }) =>
        imports.some((name) => library.test(name)) && !owners.includes(shortName(workspace.name)),
    )
    .map(({ file }) => file);

  expect(faults).toEqual([]);
});

test("only the configuration of a process reads the environment", () => {
  const readers = sources
    .filter(({ text }) => /\bprocess\.env\b|from "node:process"/.test(text))
    .map(({ file }) => file)
    .filter((file) => !/^apps\/[^/]+\/src\/config\.ts$/.test(file) && !file.startsWith("packages/testing/src/"));

  expect(readers).toEqual([]);
});
