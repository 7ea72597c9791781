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
/** What a fresh clone does not have. */
const NOT_CLONED = new Set([".git", "data"]);
/** curl as pages write it, but silent, and a refusal ends the script. */
const PRELUDE = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n';

const WITHIN_MS = 60_000;

/** A program of a page that goes on running. */
export interface Started {
  /** Its output so far. */
  readonly said: () => string;
  /** Resolves once it has said this; rejects when it ends before. */
  readonly untilSaid: (words: string) => Promise<void>;
  /** Resolves once this URL is answered with a status below 400; rejects when it ends before. */
  readonly untilAnswered: (url: string) => Promise<void>;
}

export type Variables = Readonly<Record<string, string>>;

/** Everything is done in the reader's own clone, which each test has afresh. */
export interface Reader {
  readonly folder: () => string;
  readonly save: (name: string, text: string) => Promise<void>;
  /** Pastes it into bash; resolves with what it printed, rejects when a command fails. */
  readonly shell: (script: string, variables?: Variables) => Promise<string>;
  /** The JSON that it printed. */
  readonly json: (script: string) => Promise<unknown>;
  readonly node: (script: string) => Promise<string>;
  readonly python: (script: string) => Promise<string>;
  /** Starts a program that serves; it is ended, as by Ctrl-C, after the test. */
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
    // Where the block's service did not start, no clone was made.
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
      // A group of its own: what a terminal sends on Ctrl-C reaches all of it.
      const child = spawn(file, args, { cwd: folder, env: environment(variables), detached: true });
      started.push(child);
      return watch(child);
    },
  };
}

/** Files and folders of the repository under the same names, so that nothing is copied, and none of its data. */
async function makeClone(parent: string): Promise<string> {
  const folder = path.join(parent, "nightshift");
  await mkdir(folder);
  const names = (await readdir(ROOT)).filter((name) => !NOT_CLONED.has(name));
  await Promise.all(names.map((name) => symlink(path.join(ROOT, name), path.join(folder, name))));
  return folder;
}

function need(name: "bash" | "python"): string {
  const file = testServices()[name];
  if (file === null) throw new Error(`There is no ${name} here: the test should have been left out.`);
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
      throw new Error(`This was all it said:\n${said}`, { cause: error });
    });
    if (ended === "ended") throw new Error(`It ended before ${what}:\n${said}`);
  };
  return {
    said: () => said,
    untilSaid: (words) => waitFor(`it says "${words}"`, () => said.includes(words)),
    untilAnswered: (url) =>
      waitFor(`${url} is answered`, () =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false, // nobody listens yet
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
