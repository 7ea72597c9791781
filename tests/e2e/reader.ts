/**
 * A reader of the documentation: a clone of the repository as the working folder, and a shell that runs the examples.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach } from "@jest/globals";
import { makeTemporaryFolder, testServices, until } from "@nightshift/testing";
import { programEnvironment } from "@nightshift/testing/stack";
import { runCommand } from "./command.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Folders that a fresh clone does not have. */
const NOT_CLONED = new Set([".git", "data"]);
/** curl as the pages use it, but silent. A failed request ends the script. */
const PRELUDE = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n';

const WITHIN_MS = 60_000;

/** A program of a page that keeps running. */
export interface Started {
  /** Returns the program's output so far. */
  readonly said: () => string;
  /** Resolves when the output contains `words`. Rejects if the program ends first. */
  readonly untilSaid: (words: string) => Promise<void>;
  /** Resolves when `url` returns a status below 400. Rejects if the program ends first. */
  readonly untilAnswered: (url: string) => Promise<void>;
}

export type Variables = Readonly<Record<string, string>>;

/** Runs everything in the reader's own clone. Each test has a new clone. */
export interface Reader {
  readonly folder: () => string;
  readonly save: (name: string, text: string) => Promise<void>;
  /** Runs the script in bash and resolves with its output. Rejects if a command fails. */
  readonly shell: (script: string, variables?: Variables) => Promise<string>;
  /** Runs the script in bash and resolves with the JSON that it printed. */
  readonly json: (script: string) => Promise<unknown>;
  readonly node: (script: string) => Promise<string>;
  readonly python: (script: string) => Promise<string>;
  /** Starts a program that keeps running. It is interrupted after the test, as by Ctrl-C. */
  readonly start: (file: string, args: readonly string[], variables?: Variables) => Started;
}

/** Makes a clone before each test of the block and removes it afterwards. */
export function useReader(): Reader {
  let temporary: string | undefined;
  let folder = "";
  const started: ChildProcess[] = [];
  beforeEach(async () => {
    temporary = await makeTemporaryFolder("reader");
    folder = await makeClone(temporary);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map(interrupt));
    // If the block's service did not start, no clone was made.
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    temporary = undefined;
  });
  const environment = (variables: Variables): NodeJS.ProcessEnv => programEnvironment(variables, "reader");
  const run = (file: string, args: readonly string[], variables: Variables = {}): Promise<string> =>
    runCommand(file, args, folder, WITHIN_MS, environment(variables));
  const save = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
  const shell = (script: string, variables: Variables = {}): Promise<string> =>
    run(need("bash"), ["-euo", "pipefail", "-c", PRELUDE + script], variables);
  return {
    folder: () => folder,
    save,
    shell,
    json: async (script) => JSON.parse(await shell(script)) as unknown,
    node: async (script) => {
      await save("example.mjs", script);
      return run(process.execPath, ["example.mjs"]);
    },
    python: (script) => run(need("python"), ["-c", script]),
    start: (file, args, variables = {}) => {
      // The program gets its own process group, so that SIGINT reaches all its processes, as with Ctrl-C in a terminal.
      const child = spawn(file, args, { cwd: folder, env: environment(variables), detached: true });
      started.push(child);
      return watch(child);
    },
  };
}

/**
 * Makes a folder of links to the repository's files and folders, so that nothing is copied. Leaves out the repository's
 * data.
 */
async function makeClone(parent: string): Promise<string> {
  const folder = path.join(parent, "nightshift");
  await mkdir(folder);
  const names = (await readdir(ROOT)).filter((name) => !NOT_CLONED.has(name));
  await Promise.all(names.map((name) => symlink(path.join(ROOT, name), path.join(folder, name))));
  return folder;
}

function need(name: "bash" | "python"): string {
  const file = testServices()[name];
  if (file === null) throw new Error(`This machine does not have ${name}: the test should have been left out.`);
  return file;
}

function watch(child: ChildProcess): Started {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const waitFor = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
    const ended = await until(async () => (await isSo()) || (hasEnded() && "ended"), {
      message: what,
      timeoutMs: WITHIN_MS,
    }).catch((error: unknown) => {
      throw new Error(`The program's output:\n${said}`, { cause: error });
    });
    if (ended === "ended") throw new Error(`The program ended before ${what}:\n${said}`);
  };
  return {
    said: () => said,
    untilSaid: (words) => waitFor(`it says "${words}"`, () => said.includes(words)),
    untilAnswered: (url) =>
      waitFor(`${url} is answered`, () =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false, // The server does not listen yet.
        ),
      ),
  };
}

async function interrupt(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGINT");
  await ended;
}
