/** The programs of one machine together: started with what they share, noted in `running.json`, ended as a group. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { SupervisedProcess } from "@nightshift/service";
import { endOnExit, killGroup } from "./processes.ts";
import { openProgramLog, type ShowWarning } from "./program-log.ts";
import { programArguments, type ProgramName } from "./programs.ts";
import { removeRunning, writeRunning } from "./running-file.ts";
import { superviseProgram } from "./supervised-program.ts";

export interface CrewOptions {
  readonly dataDir: string;
  /** What every program gets; asked at each start. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly show: ShowWarning;
}

export interface Crew {
  /** Starts a program with `env` over what all get. Resolves with its URL; rejects with StartupError when it cannot serve. */
  readonly start: (name: ProgramName, env: () => NodeJS.ProcessEnv) => Promise<string>;
  /** Notes where the API serves, for other commands to find. */
  readonly serveAt: (url: string) => void;
  /** Ends every program and starts it again with its environment as it is then. */
  readonly restart: () => void;
  /** Ends all programs at the same time, each by force after `patienceMs`. */
  readonly stop: (patienceMs: number) => Promise<void>;
}

export async function openCrew({ dataDir, env, show }: CrewOptions): Promise<Crew> {
  const logs = path.join(dataDir, "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const programs: SupervisedProcess[] = [];
  let url: string | null = null;

  // One after the other: each write replaces the whole file.
  let noted = Promise.resolve();
  const pids = (): number[] => programs.map((program) => program.pid()).filter((pid) => pid !== undefined);
  const note = (): void => {
    const record = { pid: process.pid, url, programs: pids() };
    noted = noted
      .then(() => writeRunning(dataDir, record))
      .catch((error: unknown) => {
        show("nightshift", "error", `cannot write running.json: ${String(error)}`);
      });
  };
  note();
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
        onPid: note,
        onEnd: (message) => {
          show(name, "error", message);
        },
      });
      programs.push(program);
      note();
      return program.listening;
    },
    serveAt: (address) => {
      url = address;
      note();
    },
    restart: () => {
      for (const program of programs) program.restart();
    },
    stop: async (patienceMs) => {
      await Promise.all(programs.map((program) => program.stop(patienceMs)));
      forgetExit();
      await noted;
      await removeRunning(dataDir);
    },
  };
}
