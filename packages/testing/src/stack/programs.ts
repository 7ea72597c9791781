/** Starts and stops the programs of a stack together. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { until } from "../until.ts";
import { type Child, startChild } from "./child.ts";
import { programEnvironment } from "./environment.ts";
import type { ProfilePlan, Program } from "./profile.ts";

/** The programs of one stack. */
export interface Programs {
  /** Starts the programs that are not running. */
  readonly startMissing: () => void;
  /** Resolves when every API is ready. Rejects with the logs after 60 s, or if a program ended. */
  readonly ready: () => Promise<void>;
  /** Sends SIGTERM to all. Resolves with one sentence for each program that had to be killed or ended with an error. */
  readonly stop: () => Promise<string[]>;
  /** Resolves when the exits of all killed programs are known, so that `startMissing` starts these programs. */
  readonly noticeEnd: (pids: ReadonlySet<number>) => Promise<void>;
  readonly logs: () => Promise<string>;
}

/** The timeout is longer than the default grace period of a worker, so that only a hung process is killed. */
const STOP_WITHIN_MS = 40_000;
const READY_WITHIN_MS = 60_000;

/** Creates the programs of `plan`, which are not started yet, with their output in `folder`. */
export function createPrograms(folder: string, plan: ProfilePlan, mark: string): Programs {
  const children = new Map<Program, Child>();
  const ended = (): string[] =>
    [...children].filter(([, child]) => !child.isRunning()).map(([program]) => program.name);
  const logs = (): Promise<string> => readLogs([folder, path.join(folder, "data/logs")]);
  return {
    logs,
    startMissing: () => {
      for (const program of plan.programs) {
        if (children.get(program)?.isRunning()) continue;
        const env = programEnvironment(program.variables, mark);
        const logFile = path.join(folder, `${program.name}.log`);
        children.set(program, startChild({ main: program.main, args: program.args, env, logFile }));
      }
    },
    ready: async () => {
      try {
        const message = `${plan.urls.join(" and ")} are ready`;
        await until(async () => ended().length > 0 || (await areReady(plan.urls)), {
          message,
          timeoutMs: READY_WITHIN_MS,
        });
        if (ended().length > 0) throw new Error(`These ended: ${ended().join(", ")}`);
      } catch (error) {
        throw new Error(`The stack did not become ready.\n${await logs()}`, { cause: error });
      }
    },
    noticeEnd: async (pids) => {
      const killed = [...children.values()].filter((child) => pids.has(child.pid));
      await until(() => killed.every((child) => !child.isRunning()), { message: "killed programs end" });
    },
    stop: async () => {
      const exits = [...children].map(async ([program, child]) => {
        if (!child.isRunning()) return [];
        const code = await child.stop(STOP_WITHIN_MS);
        return code === 0
          ? []
          : [`${program.name} ended with ${code === null ? "SIGKILL" : String(code)} when asked to stop.`];
      });
      return (await Promise.all(exits)).flat();
    },
  };
}

async function areReady(urls: readonly string[]): Promise<boolean> {
  const replies = await Promise.all(urls.map((url) => fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) })));
  return replies.every((reply) => reply.ok);
}

async function readLogs(folders: readonly string[]): Promise<string> {
  const texts = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder).catch(() => []); // a program that ended early has no logs
      const files = names.filter((name) => name.endsWith(".log"));
      return Promise.all(files.map(async (name) => `--- ${name}\n${await readFile(path.join(folder, name), "utf8")}`));
    }),
  );
  return texts.flat().join("\n");
}
