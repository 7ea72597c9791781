/**
 * The programs of a service on one machine, and how to recognise their processes. The worker starts the simulator as a
 * third program if no upstream is configured, and stops it.
 */
import { fileURLToPath } from "node:url";

export type ProgramName = "api" | "worker";

/**
 * The built main file of a program. The path works from src and from dist, because both folders are two levels deep.
 */
export function programFile(name: ProgramName): string {
  return fileURLToPath(new URL(`../../../${name}/dist/main.js`, import.meta.url));
}

/**
 * Arguments that no program reads. They identify the process in `ps`. The next start ends leftover processes, and uses
 * the arguments to spare an unrelated process that has the same pid.
 */
export function programArguments(dataDir: string): string[] {
  return ["--data-dir", dataDir];
}

/** True for the command line of one of our programs with this data folder. */
export function isProgramOf(dataDir: string): (commandLine: string) => boolean {
  const tail = programArguments(dataDir).join(" ");
  return (commandLine) => /\/apps\/(api|worker)\/dist\/main\.js /.test(commandLine) && commandLine.endsWith(tail);
}

/** True for the command line of a supervisor of any data folder. */
export function isSupervisor(commandLine: string): boolean {
  return /[\s/](cli\/dist\/main\.js|nightshift(\.mjs)?)(\s|$)/.test(commandLine);
}
