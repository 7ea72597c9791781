/** Writes files so that a reader sees all of one or nothing, also after a crash of the machine. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";

/** How often a folder may vanish under a writer, because another process deleted the last object in it. */
const MAX_MOVE_ATTEMPTS = 10;

/**
 * Writes `target` through a temporary file in `workFolder`, which must lie on the same file system, and returns what
 * `describe` says of the open file. When `fill` throws, nothing is left and the error is passed on.
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

/** Removes from `workFolder` what a crash left there: files that nobody has written to since `before`. */
export async function removeLeftovers(workFolder: string, before: Date): Promise<void> {
  for (const name of (await readdir(workFolder).catch(nullIfMissing)) ?? []) {
    const leftover = path.join(workFolder, name);
    const facts = await stat(leftover).catch(nullIfMissing);
    if (facts !== null && facts.mtime < before) await rm(leftover, { force: true });
  }
}

/** For `.catch`: turns "no such file or folder" into null and passes every other error on. */
export function nullIfMissing(error: unknown): null {
  if (isCode(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}

/** True for a system error with one of `codes`. */
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

/** A new folder is durable once the one that holds it is synced. */
async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true });
  if (firstMade === undefined) return;
  for (let made = folder; made.length >= firstMade.length; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
  }
}

/** A folder that is gone already had its only object deleted meanwhile. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(nullIfMissing);
  if (handle === null) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
