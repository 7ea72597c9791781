/**
 * Starts the programs of one machine with a shared environment, lists them in `running.json`, and stops them together.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { superviseProcess, type SupervisedProcess } from "@nightshift/service";
import { endOnExit, killGroup } from "./processes.ts";
import { openProgramLog, type ProgramLog, type ShowWarning } from "./program-log.ts";
import { programArguments, programFile, type ProgramName } from "./programs.ts";
import { removeRunning, writeRunning } from "./running-file.ts";

export interface ProgramGroupOptions {
  readonly dataDir: string;
  /** The environment of every program. It is read at each start. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly show: ShowWarning;
}

export interface ProgramGroup {
  /** Starts a program with `env` added to the shared environment. Resolves with its URL; rejects with StartupError. */
  readonly start: (name: ProgramName, env: () => NodeJS.ProcessEnv) => Promise<string>;
  /** Writes the API's URL to `running.json`, where other commands find it. */
  readonly serveAt: (url: string) => void;
  /** Stops every program and starts it again with its current environment. */
  readonly restart: () => void;
  /** Stops all programs in parallel. Kills those that have not stopped after `patienceMs`. */
  readonly stop: (patienceMs: number) => Promise<void>;
}

export async function openProgramGroup({ dataDir, env, show }: ProgramGroupOptions): Promise<ProgramGroup> {
  const logs = path.join(dataDir, "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const programs: SupervisedProcess[] = [];
  let url: string | null = null;

  // The writes run one at a time, because each write replaces the whole file.
  let written = Promise.resolve();
  const pids = (): number[] => programs.map((program) => program.pid()).filter((pid) => pid !== undefined);
  const writeRecord = (): void => {
    const record = { pid: process.pid, url, programs: pids() };
    written = written
      .then(() => writeRunning(dataDir, record))
      .catch((error: unknown) => {
        show("nightshift", "error", `cannot write running.json: ${String(error)}`);
      });
  };
  writeRecord();
  const forgetExit = endOnExit(() => {
    pids().forEach(killGroup);
  });

  return {
    start: (name, ownEnv) => {
      const log = openProgramLog(path.join(logs, `${name}.log`), show);
      const program = superviseProgram({
        name,
        args: programArguments(dataDir),
        env: () => ({ ...env(), ...ownEnv() }),
        log,
        onPid: writeRecord,
        onEnd: (message) => {
          show(name, "error", message);
        },
      });
      programs.push(program);
      writeRecord();
      return program.listening;
    },
    serveAt: (address) => {
      url = address;
      writeRecord();
    },
    restart: () => {
      for (const program of programs) program.restart();
    },
    stop: async (patienceMs) => {
      await Promise.all(programs.map((program) => program.stop(patienceMs)));
      forgetExit();
      await written;
      await removeRunning(dataDir);
    },
  };
}

interface ProgramOptions {
  readonly name: ProgramName;
  readonly args: readonly string[];
  /** Read at each start, because a database URL or a port may have changed since the last start. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly log: ProgramLog;
  /** Called whenever the pid changes. */
  readonly onPid: () => void;
  /** Called each time the program ends unexpectedly. */
  readonly onEnd: (message: string) => void;
}

/** Starts the program, and starts it again when it ends, until it is stopped. */
function superviseProgram(options: ProgramOptions): SupervisedProcess {
  return superviseProcess({
    start: () => startProgram(options),
    whyNotServed: () => {
      const lines = options.log.lastErrorLines();
      return lines === "" ? `The ${options.name} ended before it was ready.` : lines;
    },
    onPid: options.onPid,
    onEnd: options.onEnd,
    endByForce: ({ pid }) => {
      if (pid !== undefined) killGroup(pid);
    },
  });
}

function startProgram(options: ProgramOptions): ChildProcess {
  const child = fork(programFile(options.name), [...options.args], {
    env: options.env(),
    execArgv: [],
    // In its own process group, so that Ctrl-C reaches only the supervisor, which stops the programs in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("unreachable: a forked program has pipes");
  options.log.follow({ stdout, stderr });
  return child;
}
