import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Command, makeDataFolder, runCommand, startCommand } from "./command.ts";

let dataDir: string;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  dataDir = await makeDataFolder();
  folder = path.dirname(dataDir);
  env = { NIGHTSHIFT_DATA_DIR: dataDir };
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function requests(name: string, lines: readonly unknown[]): string {
  const file = path.join(folder, name);
  writeFileSync(file, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return file;
}

const request = (id: string): object => ({
  custom_id: id,
  method: "POST",
  url: "/v1/embeddings",
  body: { model: "text-embedding-ada-002", input: id },
});

const customIds = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { custom_id: unknown }).custom_id);

test("starts a server if none runs, and writes only the results to standard output", async () => {
  const { code, stdout, stderr } = await runCommand(["run", requests("two.jsonl", [request("a"), request("b")])], env);

  expect(code).toBe(0);
  expect(customIds(stdout)).toEqual(["a", "b"]);
  expect(stderr).toContain("simulator answers, not a model");
  expect(stderr).toContain("/v1/embeddings");
  expect(await readdir(dataDir)).not.toContain("running.json");
});

describe("with a running server", () => {
  let server: Command;
  beforeAll(async () => {
    server = startCommand(["up"], { ...env, PORT: "0" });
    await server.untilSaid("or do all steps at once");
  });
  afterAll(async () => {
    server.child.kill("SIGTERM");
    await server.ended;
  });

  test("exits with 1 and shows the faulty lines if validation fails", async () => {
    const { code, stdout, stderr } = await runCommand(["run", requests("bad.jsonl", [request("a"), "no JSON"])], env);

    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("line 2: ");
  });

  test("exits with 1 and writes results and failed lines to the given files", async () => {
    const file = requests("mixed.jsonl", [
      request("good"),
      { ...request("bad"), body: { model: "text-embedding-ada-002", input: 5 } },
    ]);
    const [output, errors] = ["results.jsonl", "errors.jsonl"].map((name) => path.join(folder, name)) as [
      string,
      string,
    ];

    const { code, stderr } = await runCommand(["run", file, "-o", output, "--errors", errors], env);

    expect(code).toBe(1);
    expect(stderr).toContain("1 of 2 lines succeeded, 1 failed");
    expect(stderr).toContain("bad: status 400");
    expect(customIds(readFileSync(output, "utf8"))).toEqual(["good"]);
    expect(customIds(readFileSync(errors, "utf8"))).toEqual(["bad"]);
  });

  test("writes failed lines next to the results by default, or says how to get them", async () => {
    const file = requests("failing.jsonl", [
      request("good"),
      { ...request("bad"), body: { model: "text-embedding-ada-002", input: 5 } },
    ]);

    const saved = await runCommand(["run", file, "-o", path.join(folder, "out.jsonl")], env);
    const shown = await runCommand(["run", file], env);

    expect(saved.code).toBe(1);
    expect(saved.stderr).toContain(`Failed lines: ${path.join(folder, "out.errors.jsonl")}`);
    expect(customIds(readFileSync(path.join(folder, "out.jsonl"), "utf8"))).toEqual(["good"]);
    expect(customIds(readFileSync(path.join(folder, "out.errors.jsonl"), "utf8"))).toEqual(["bad"]);
    const [, hint = ""] = /or run: npx nightshift (wait .*)/.exec(shown.stderr) ?? [];
    expect(hint).toMatch(/^wait batch_\w+ --errors errors\.jsonl$/);
  });
});

test("an interrupted run shows the command that gets its results", async () => {
  const ids = Array.from({ length: 300 }, (_, index) => `r${String(index)}`);
  const slow = { ...env, SIMULATOR_LATENCY_MS: "200", UPSTREAM_CONCURRENCY: "10" };
  const output = path.join(folder, "late.jsonl");
  const command = startCommand(["run", requests("slow.jsonl", ids.map(request)), "-o", output], slow);
  await command.untilSaid("in_progress");

  command.child.kill("SIGINT");
  const interrupted = await command.ended;

  expect(interrupted.code).toBe(130);
  expect(existsSync(output)).toBe(false);
  const [, hint = ""] = /To get its results, run: npx nightshift (.*)/.exec(interrupted.stderr) ?? [];
  const finished = await runCommand(hint.split(" "), env);
  expect(finished.code).toBe(0);
  expect(customIds(readFileSync(output, "utf8")).sort()).toEqual([...ids].sort());
});

test.each([
  ["an unknown command", ["walk"]],
  ["no file", ["run"]],
  ["a missing file", ["run", "/nowhere/requests.jsonl"]],
  ["a folder instead of a file", ["run", "."]],
  ["results in a missing folder", ["run", import.meta.filename, "-o", "/nowhere/results.jsonl"]],
  ["a folder as the output file", ["run", import.meta.filename, "-o", "."]],
  ["a folder as the error file", ["run", import.meta.filename, "--errors", "."]],
  ["a server URL that is not HTTP", ["run", import.meta.filename, "--server", "ftp://x"]],
])("exits with 2 for %s", async (_name, args) => {
  const { code, stderr } = await runCommand(args, env);

  expect(code).toBe(2);
  expect(stderr).toContain("error:");
});

test("rejects a file that is not JSON before starting a server, and shows the line number", async () => {
  const { code, stderr } = await runCommand(["run", requests("table.csv", ["custom_id,url"])], env);

  expect(code).toBe(1);
  expect(stderr).toMatch(/^\S+table\.csv, line 1 is not valid JSON: .*\n$/);
});

test("shows the URL of a server that does not answer or needs a key", async () => {
  const file = requests("one.jsonl", [request("a")]);

  const silent = await runCommand(["run", file, "--server", "http://127.0.0.1:1", "--key", "x"], env);
  const locked = await runCommand(["run", file], { ...env, OPENAI_BASE_URL: "http://127.0.0.1:1/v1" });

  expect(silent.code).toBe(1);
  expect(silent.stderr).toContain("http://127.0.0.1:1/v1 does not answer");
  expect(locked.code).toBe(1);
  expect(locked.stderr).toContain("OPENAI_API_KEY");
});

test("the quick start writes only the guide's three results to standard output", async () => {
  const { code, stdout, stderr } = await runCommand(["quickstart"], env);

  expect(code).toBe(0);
  expect(customIds(stdout)).toEqual(["req-1", "req-2", "req-3"]);
  for (const title of ["1  Prepare", "2  Upload", "3  Create", "4  Check", "5  Download"])
    expect(stderr).toContain(title);
  expect(stderr).toContain("What next");
});
