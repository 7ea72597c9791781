/** One program of the service, kept running, its output in its log. */
import { fork, type ChildProcess } from "node:child_process";
import { superviseProcess, type SupervisedProcess } from "@nightshift/service";
import { killGroup } from "./processes.ts";
import type { ProgramLog } from "./program-log.ts";
import { programFile, type ProgramName } from "./programs.ts";

export interface ProgramOptions {
  readonly name: ProgramName;
  readonly args: readonly string[];
  /** Asked at each start, because what it names (a database URL, a port) may have changed since the last. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly log: ProgramLog;
  /** Called whenever the pid changes. */
  readonly onPid: () => void;
  /** Told about each end that nobody asked for. */
  readonly onEnd: (message: string) => void;
}

/** Starts the program and keeps it running until it is stopped. */
export function superviseProgram(options: ProgramOptions): SupervisedProcess {
  return superviseProcess({
    start: () => startProgram(options),
    whyNotServed: () => {
      const words = options.log.lastWords();
      return words === "" ? `The ${options.name} ended before it served.` : words;
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
    // A group of its own: Ctrl-C in the terminal is for the supervisor, who ends the programs in their order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("a forked program has pipes");
  options.log.follow({ stdout, stderr });
  return child;
}
