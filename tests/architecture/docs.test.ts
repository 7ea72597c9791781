/** Checks the documentation against the code: links, files, variables, tables, endpoints and metrics must exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { KNOWN_VARIABLES } from "@nightshift/service";
import { pageExample } from "@nightshift/testing/pages";
import { parseRoutes, parseTiers } from "@nightshift/upstream";
import { parse } from "yaml";
import { readSources, readWorkspaces } from "./sources.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

const documents = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "AGENTS.md",
  ...readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join("docs", file)),
];

/** Returns the targets of links and images, without links to other sites. */
function relativeLinks(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|\bsrc="([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? "");
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Returns the anchors that GitHub generates from the headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** True if the file exists and has the heading. */
function leadsSomewhere(document: string, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const file = target === "" ? document : path.join(path.dirname(document), target);
  if (!existsSync(path.join(root, file))) return false;
  return anchor === undefined || anchorsOf(read(file)).includes(anchor);
}

test.each(documents)("every link of %s has a target", (document) => {
  const broken = relativeLinks(read(document)).filter((link) => !leadsSomewhere(document, link));

  expect(broken).toEqual([]);
});

test.each(documents)("every file that %s names by its path exists", (document) => {
  const named = [...read(document).matchAll(/`((?:apps|packages|tests|scripts|infra|examples|docs)\/[^`\s*]+)`/g)];
  const missing = named.map((match) => match[1] ?? "").filter((file) => !existsSync(path.join(root, file)));

  expect(missing).toEqual([]);
});

test("the architecture page links the sources of each step", () => {
  const sources = relativeLinks(read("docs/architecture.md")).filter((link) => link.endsWith(".ts"));

  expect(sources.length).toBeGreaterThanOrEqual(20);
});

test("every type that the architecture page gives to a line is declared", () => {
  const [, rows = ""] = /^\| type \|.*?\n((?:\|.*\n)+)/m.exec(read("docs/architecture.md")) ?? [];
  const named = [...rows.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1] ?? "");
  const declared = readWorkspaces()
    .flatMap(readSources)
    .flatMap(({ text }) => [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map((match) => match[1] ?? ""));

  expect(named.length).toBeGreaterThanOrEqual(10);
  expect(named.filter((type) => !declared.includes(type))).toEqual([]);
});

test(".env.example and the configuration page have every variable, and no other", () => {
  const known = sorted(Object.keys(KNOWN_VARIABLES));
  const examples = [...read(".env.example").matchAll(/^# ([A-Z0-9_]+)=/gm)].map((match) => match[1] ?? "");
  const described = [...read("docs/configuration.md").matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(
    (match) => match[1] ?? "",
  );

  expect(sorted(examples)).toEqual(known);
  expect(sorted(described)).toEqual(known);
});

test("docker compose passes on every variable except the path of the config file", () => {
  const compose = read("docker-compose.yml").replaceAll(/^ *#.*$/gm, "");
  const dockerfile = read("infra/nightshift.Dockerfile");
  const isThere = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(compose + dockerfile);

  expect(Object.keys(KNOWN_VARIABLES).filter((name) => !isThere(name))).toEqual(["NIGHTSHIFT_CONFIG"]);
});

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { environment?: Record<string, string>; volumes?: string[]; image?: string; build?: { dockerfile: string } }
    >
  >;
}

test("docker compose builds from existing files and accepts the override of the configuration page", () => {
  const { services } = parse(read("docker-compose.yml"), { merge: true }) as Compose;
  const override = (parse(pageExample("docs/configuration.md", "Docker Compose", "yaml")) as Compose).services;

  expect(pageExample("README.md", "Scale out", "bash")).toBe("docker compose up --build\n");
  for (const { image, build } of Object.values(services)) {
    expect(image ?? (build !== undefined && existsSync(path.join(root, build.dockerfile)))).toBeTruthy();
  }
  expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(override)));
  for (const { environment, volumes } of Object.values(override)) {
    expect(volumes).toEqual([`./nightshift.yaml:${environment?.["NIGHTSHIFT_CONFIG"] ?? ""}:ro`]);
    // An empty variable counts as not set: the upstream of the compose file must not conflict with the YAML file.
    expect(environment).toMatchObject({ UPSTREAM_BASE_URL: "", OPENAI_API_KEY: "${OPENAI_API_KEY}" });
  }
});

test("the upstreams of the configuration page are valid and route as described", () => {
  const text = pageExample("docs/configuration.md", "Upstreams", "yaml");

  const routes = parseRoutes(text, "nightshift.yaml", { OPENAI_API_KEY: "sk-example" });

  expect(routes.resolve("gpt-4")).toEqual({ upstream: "tensorzero", model: "tensorzero::model_name::gpt-4" });
  expect(routes.resolve("llama-3")).toEqual({ upstream: "vllm", model: "meta-llama/llama-3" });
});

test("the tiers of the tenants page are valid, and the page explains each limit", () => {
  const page = read("docs/tenants.md");
  const text = pageExample("docs/tenants.md", "Tiers", "yaml");

  const tiers = parseTiers(`upstreams: { a: { base_url: "http://a/v1" } }\n${text}`, "nightshift.yaml", {});

  const limits = Object.entries(tiers.limitsOf("free"));
  const explained = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1] ?? "");
  expect(limits.filter(([, limit]) => limit === null)).toEqual([]);
  expect(sorted(explained)).toEqual(
    sorted(limits.map(([name]) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))),
  );
  expect(tiers.names).toEqual(["default", "free"]);
});

test("the API reference lists every endpoint, and no other", () => {
  const { paths } = parse(read("docs/openapi-batch-file.yaml")) as { paths: Record<string, object> };
  const described = Object.entries(paths).flatMap(([place, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${place}`),
  );
  const listed = [...read("docs/batch-file-api.md").matchAll(/^\| `([A-Z]+ \/\S+)` \|/gm)].map(
    (match) => match[1] ?? "",
  );

  expect(sorted(listed)).toEqual(sorted(described));
});

test("every decision is in the list of decisions", () => {
  const decisions = readdirSync(path.join(root, "docs/adr")).filter((file) => /^\d{4}-/.test(file));

  expect(sorted(relativeLinks(read("docs/adr/README.md")))).toEqual(sorted(decisions));
});

test("the architecture page names exactly the tables of the migrations", () => {
  const folder = path.join(root, "packages/db/migrations");
  const migrations = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), "utf8"));
  const made = migrations.flatMap((sql) => [...sql.matchAll(/^create table (\w+)/gm)].map((match) => match[1] ?? ""));
  const [, rows = ""] = /\| tables of Postgres \|.*?\n((?:\|.*\n)+)/.exec(read("docs/architecture.md")) ?? [];
  const first = [...rows.matchAll(/^\|([^|]*)\|/gm)].map((match) => match[1] ?? "").join();
  const named = [...first.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? "");

  expect(sorted(named)).toEqual(sorted(made));
});

test("the metrics page has exactly the metrics of the code", () => {
  const made = readWorkspaces()
    .flatMap(readSources)
    .flatMap(({ text }) => [...text.matchAll(/\bname: "(nightshift_\w+)"/g)].map((match) => match[1] ?? ""));
  const described = [...read("docs/metrics.md").matchAll(/^\| `(nightshift_\w+)` \|/gm)].map((match) => match[1] ?? "");

  expect(sorted(described)).toEqual(sorted(made));
});
