/** Checks of single arguments, made before a command begins: what they refuse is wrong usage. */
import { accessSync, constants, statSync, type Stats } from "node:fs";
import path from "node:path";
import { InvalidArgumentError } from "commander";

/** A file of requests to be read, more than once. Throws InvalidArgumentError. */
export function existingFile(file: string): string {
  const stats = statsOf(file);
  if (stats === null) throw new InvalidArgumentError("There is no such file.");
  if (stats.isDirectory()) throw new InvalidArgumentError("It is a folder: name a file of requests.");
  if (!stats.isFile()) throw new InvalidArgumentError("It can be read only once: save it as a file first.");
  if (!isAllowed(file, constants.R_OK)) throw new InvalidArgumentError("It may not be read: change its permissions.");
  return file;
}

/** A file to be written at the end, hours from now perhaps, and then in place of what it was. Throws InvalidArgumentError. */
export function writableFile(file: string): string {
  const stats = statsOf(file);
  if (stats?.isDirectory() === true || file.endsWith("/"))
    throw new InvalidArgumentError("It is a folder: name a file in it.");
  if (stats?.isFile() === false) throw new InvalidArgumentError("It is no file, and cannot be replaced by one.");
  const folder = path.dirname(file);
  const parent = statsOf(folder);
  if (parent?.isDirectory() !== true) {
    throw new InvalidArgumentError(`There is no folder ${folder}: make it first, or name another.`);
  }
  if (!isAllowed(folder, constants.W_OK)) {
    throw new InvalidArgumentError(`Nothing may be written in the folder ${folder}: name another.`);
  }
  return file;
}

/** An address of a server, with or without its scheme. Throws InvalidArgumentError. */
export function httpUrl(text: string): string {
  const url = text.includes("://") ? text : `http://${text}`;
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new InvalidArgumentError("It is no http:// address.");
  return url;
}

function statsOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    // Not there, below a file, or in a folder that is closed to us: none of them can be used.
    return null;
  }
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    // Whatever the reason, the answer is no.
    return false;
  }
}
