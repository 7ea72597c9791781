/**
 * The programs that make up a service on one machine, and how their processes can be told from all others. The worker
 * starts a third by itself where no upstream is configured, the simulator, which ends with it.
 */
import { fileURLToPath } from "node:url";

export type ProgramName = "api" | "worker";

/** The built file that is run. The apps lie side by side, built or not: this file's folder is two below apps/cli. */
export function programFile(name: ProgramName): string {
  return fileURLToPath(new URL(`../../../${name}/dist/main.js`, import.meta.url));
}

/**
 * Arguments that no program reads: they are for `ps`, and for the next start, which must not end a process that only
 * has the pid of one of ours.
 */
export function programArguments(dataDir: string): string[] {
  return ["--data-dir", dataDir];
}

/** True for the command line of a program of ours that serves this data folder. */
export function isProgramOf(dataDir: string): (commandLine: string) => boolean {
  const tail = programArguments(dataDir).join(" ");
  return (commandLine) => /\/apps\/(api|worker)\/dist\/main\.js /.test(commandLine) && commandLine.endsWith(tail);
}

/** True for the command line of a supervisor, of whatever data folder. */
export function isSupervisor(commandLine: string): boolean {
  return /[\s/](cli\/dist\/main\.js|nightshift(\.mjs)?)(\s|$)/.test(commandLine);
}
