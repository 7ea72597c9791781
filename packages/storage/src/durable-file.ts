/** Writes files atomically: a reader sees a complete file or none, even after a crash of the machine. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";

/** How often a folder may disappear during a write, because another process deleted the last object in it. */
const MAX_MOVE_ATTEMPTS = 10;

/**
 * Writes `target` through a temporary file in `workFolder`, which must be on the same file system. Returns the result
 * of `describe` for the open file. If `fill` throws, nothing is left and the error is passed on.
 */
export async function writeDurably<T>(
  target: string,
  workFolder: string,
  fill: (file: FileHandle) => Promise<void>,
  describe: (file: FileHandle) => Promise<T>,
): Promise<T> {
  await mkdir(workFolder, { recursive: true });
  const temporary = path.join(workFolder, randomUUID());
  try {
    const file = await open(temporary, "wx");
    let description: T;
    try {
      await fill(file);
      await file.sync();
      description = await describe(file);
    } finally {
      await file.close();
    }
    await move(temporary, target);
    return description;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes temporary files of crashed writers from `workFolder`, if they were last written before `before`. */
export async function removeLeftovers(workFolder: string, before: Date): Promise<void> {
  for (const name of (await readdir(workFolder).catch(nullIfMissing)) ?? []) {
    const leftover = path.join(workFolder, name);
    const facts = await stat(leftover).catch(nullIfMissing);
    if (facts !== null && facts.mtime < before) await rm(leftover, { force: true });
  }
}

/** Returns null for "no such file or folder", and throws every other error again. Pass it to `.catch`. */
export function nullIfMissing(error: unknown): null {
  if (isCode(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}

/** Reports whether `error` is a system error with one of `codes`. */
export function isCode(error: unknown, ...codes: string[]): boolean {
  return typeof error === "object" && error !== null && "code" in error && codes.includes(String(error.code));
}

async function move(temporary: string, target: string): Promise<void> {
  const folder = path.dirname(target);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeFolder(folder);
      await rename(temporary, target);
      break;
    } catch (error) {
      if (!isCode(error, "ENOENT") || attempt === MAX_MOVE_ATTEMPTS) throw error;
    }
  }
  await syncFolder(folder);
}

/** A new folder is durable only after its parent folder is synced. */
async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true });
  if (firstMade === undefined) return;
  for (let made = folder; made.length >= firstMade.length; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
  }
}

/** The folder is missing if another process has since deleted its only object. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(nullIfMissing);
  if (handle === null) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
