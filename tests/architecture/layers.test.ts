/**
 * Checks the layers: which of our packages each workspace may import, and which packages may import an outside library.
 */
import path from "node:path";
import { expect, test } from "@jest/globals";
import { packageOf, readSources, readWorkspaces } from "./sources.ts";

/** Imports only point downward: for each workspace, the list has all of our packages that it may import. */
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
  // If no upstream is configured, the worker starts the simulator as a process.
  worker: ["backends", "db", "domain", "queue", "service", "simulator", "storage", "upstream", "webhooks"],
  cli: ["domain", "local-postgres", "service"],
  bench: ["testing"],
};

/** Outside libraries and the only packages that may import them, so that replacing a library changes one place. */
const KNOWN_ONLY_TO: readonly { readonly library: RegExp; readonly owners: readonly string[] }[] = [
  { library: /^bullmq$/, owners: ["queue"] },
  { library: /^ioredis$/, owners: ["queue", "testing"] },
  { library: /^pg$/, owners: ["db", "queue", "local-postgres", "testing"] },
  { library: /^@aws-sdk\//, owners: ["storage"] },
  // The bare loop is the baseline of the benchmarks. A test reads the memory of a process over a web socket, for which
  // Node 20 does not have a client.
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

test("the list of layers has every workspace", () => {
  expect(workspaces.map(({ name }) => shortName(name)).sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

test.each(workspaces)("$name depends only on the layers below it", ({ name, dependencies }) => {
  const ours = dependencies.filter((dependency) => dependency.startsWith("@nightshift/")).map(shortName);

  expect(MAY_IMPORT[shortName(name)]).toEqual(expect.arrayContaining(ours));
});

test.each(workspaces)("$name imports only packages in its package.json, by their public names", (workspace) => {
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

/** Apps and packages whose folders must not depend on each other in a cycle. */
const WITHOUT_FOLDER_CYCLES = ["apps/api", "apps/worker", "packages/db"];

/**
 * The steps of the worker. A line of a batch passes them in this order, except that retry uses assemble to write files.
 */
const STEPS = ["validate", "feed", "claim", "send", "record", "retry", "assemble"];

test.each(WITHOUT_FOLDER_CYCLES)("the folders of %s do not import each other in a cycle", (workspace) => {
  expect(onlyCycles(folderGraph(workspace))).toEqual(new Map());
});

test.each(STEPS)("the worker's step %s imports only steps that follow it", (step) => {
  const imported = folderGraph("apps/worker").get(`apps/worker/src/steps/${step}`);
  const before = STEPS.slice(0, STEPS.indexOf(step)).map((name) => `apps/worker/src/steps/${name}`);

  expect(imported).toBeDefined();
  expect(before.filter((folder) => imported?.has(folder))).toEqual([]);
});

/**
 * Returns the folders that each folder of a workspace imports. A file next to folders counts as its own folder, because
 * it may be above some of these folders and below others.
 */
function folderGraph(workspace: string): Map<string, Set<string>> {
  const files = sources.filter((source) => source.workspace.folder === workspace);
  const folders = [...new Set(files.map(({ file }) => path.dirname(file)))];
  const nodeOf = (file: string): string => {
    const parent = path.dirname(file);
    return folders.some((folder) => folder.startsWith(`${parent}/`)) ? file : parent;
  };
  const graph = new Map<string, Set<string>>();
  for (const { file, imports } of files) {
    const from = nodeOf(file);
    const targets = imports
      .filter((name) => name.startsWith("."))
      .map((name) => nodeOf(path.join(path.dirname(file), name)))
      .filter((to) => to !== from);
    graph.set(from, new Set([...(graph.get(from) ?? []), ...targets]));
  }
  return graph;
}

/** Removes each node that no other node imports, or that imports no other node, until only cycles are left. */
function onlyCycles(graph: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
  let left = new Map([...graph].map(([from, to]) => [from, [...to]]));
  for (;;) {
    const imported = new Set([...left.values()].flat());
    const next = new Map(
      [...left]
        .filter(([from]) => imported.has(from))
        .map(([from, to]): [string, string[]] => [from, to.filter((node) => left.has(node))])
        .filter(([, to]) => to.length > 0),
    );
    if (next.size === left.size) return next;
    left = next;
  }
}

test("only the configuration of a process reads the environment", () => {
  const readers = sources
    .filter(({ text }) => /\bprocess\.env\b|from "node:process"/.test(text))
    .map(({ file }) => file)
    .filter((file) => !/^apps\/[^/]+\/src\/config\.ts$/.test(file) && !file.startsWith("packages/testing/src/"));

  expect(readers).toEqual([]);
});
