/** Checks arguments before a command starts. A rejected argument counts as wrong usage. */
import { accessSync, constants, statSync, type Stats } from "node:fs";
import path from "node:path";
import { InvalidArgumentError } from "commander";

/** Checks a file of requests, which is read more than once. Throws InvalidArgumentError. */
export function existingFile(file: string): string {
  const stats = statsOf(file);
  if (stats === null) throw new InvalidArgumentError("The file does not exist.");
  if (stats.isDirectory()) throw new InvalidArgumentError("It is a folder. Pass a file of requests.");
  if (!stats.isFile()) throw new InvalidArgumentError("It can be read only once. Save it as a file first.");
  if (!isAllowed(file, constants.R_OK))
    throw new InvalidArgumentError("The file is not readable. Change its permissions.");
  return file;
}

/** Checks now that a file can be written or replaced later, perhaps hours from now. Throws InvalidArgumentError. */
export function writableFile(file: string): string {
  const stats = statsOf(file);
  if (stats?.isDirectory() === true || file.endsWith("/"))
    throw new InvalidArgumentError("It is a folder. Pass a file in it.");
  if (stats?.isFile() === false) throw new InvalidArgumentError("It is not a regular file and cannot be replaced.");
  const folder = path.dirname(file);
  const parent = statsOf(folder);
  if (parent?.isDirectory() !== true) {
    throw new InvalidArgumentError(`The folder ${folder} does not exist. Create it first, or pass another.`);
  }
  if (!isAllowed(folder, constants.W_OK)) {
    throw new InvalidArgumentError(`The folder ${folder} is not writable. Pass another.`);
  }
  return file;
}

/** Checks the URL of a server and adds http:// if it has no scheme. Throws InvalidArgumentError. */
export function httpUrl(text: string): string {
  const url = text.includes("://") ? text : `http://${text}`;
  if (!/^https?:/.test(url) || !URL.canParse(url))
    throw new InvalidArgumentError("It must be an http:// or https:// URL.");
  return url;
}

function statsOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    // The file is missing, its parent is a file, or a folder is not accessible. In all three cases the path cannot be
    // used.
    return null;
  }
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    // Whatever the reason is, the file cannot be accessed.
    return false;
  }
}
