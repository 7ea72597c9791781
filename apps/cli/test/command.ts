/** Runs the built command line in its own process. Of Nightshift's variables, the process gets only the given ones. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { makeTemporaryFolder, until } from "@nightshift/testing";

const MAIN = path.resolve(import.meta.dirname, "../dist/main.js");
const OURS =
  /^(NIGHTSHIFT_|UPSTREAM_|SIMULATOR_|S3_|AWS_|OPENAI_)|^(DATABASE_URL|REDIS_URL|WORKER_PROCESSES|PORT|HOST|NODE_OPTIONS)$/;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Returns the command's output so far, on both streams. */
  readonly said: () => string;
  /** Resolves when the output contains `words`. Rejects if the command ends first. */
  readonly untilSaid: (words: string) => Promise<void>;
}

/** A data folder for one test file. */
export async function makeDataFolder(): Promise<string> {
  return path.join(await makeTemporaryFolder("cli"), "data");
}

/** Starts `nightshift` with these arguments. */
export function startCommand(args: readonly string[], env: Readonly<Record<string, string>>): Command {
  return startProgram(process.execPath, [MAIN, ...args], env);
}

function startProgram(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Command {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  const child = spawn(file, args, {
    cwd: path.resolve(import.meta.dirname, "../../.."),
    env: { ...Object.fromEntries(inherited), ...env },
    // The channel ends the command if the test process is killed.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("unreachable: the command has pipes");
  let said = "";
  for (const stream of [stdout, stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = Promise.all([text(stdout), text(stderr), once(child, "exit")]).then(([out, err]) => ({
    code: child.exitCode,
    stdout: out,
    stderr: err,
  }));
  return {
    child,
    ended,
    said: () => said,
    untilSaid: async (words) => {
      const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
      await until(() => said.includes(words) || hasEnded(), { message: `it says "${words}"`, timeoutMs: 60_000 });
      if (!said.includes(words)) throw new Error(`It ended without saying "${words}":\n${said}`);
    },
  };
}

/** Runs `nightshift` to its end. */
export async function runCommand(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return startCommand(args, env).ended;
}

/** Replaces npx, which takes seconds to start. The README's test uses npx itself. */
const NPX = 'npx() { "node_modules/.bin/$1" "${@:2}"; }';

/** Runs commands of a page in a shell in the repository. */
export async function runShell(bash: string, script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return startProgram(bash, ["-euo", "pipefail", "-c", `${NPX}\n${script}`], env).ended;
}
