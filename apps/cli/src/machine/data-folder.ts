/** Locks the data folder, so that only one supervisor uses it at a time, even across machines with a shared volume. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { StartupError } from "@nightshift/service";
import lockfile from "proper-lockfile";
import { readAliveSupervisor } from "./running-file.ts";

/** A lock that was not refreshed for this long belongs to a dead process. It is the minimum of proper-lockfile. */
const STALE_MS = 2_000;
const REFRESH_MS = 1_000;

/** Waits 4 s, longer than the stale lock of a supervisor that was just killed. */
const LOCK_RETRIES = { retries: 40, factor: 1, minTimeout: 100, maxTimeout: 100 };

export interface LockedFolder {
  readonly release: () => Promise<void>;
}

/**
 * Creates the folder if it is missing, and locks it. Calls `onLost` when another supervisor has taken the lock, which
 * can happen while this process is suspended. Throws StartupError that names the process with the lock.
 */
export async function lockDataFolder(dataDir: string, onLost: () => void): Promise<LockedFolder> {
  await createFolder(dataDir);
  await refuseIfServed(dataDir);
  const options = { lockfilePath: path.join(dataDir, "lock"), stale: STALE_MS, update: REFRESH_MS };
  let release: () => Promise<void>;
  // After a laptop has slept, the lock is stale. The service stops only if another supervisor has taken the lock.
  const onCompromised = (): void => {
    lockfile.lock(dataDir, { ...options, onCompromised }).then((again) => {
      release = again;
    }, onLost);
  };
  try {
    release = await lockfile.lock(dataDir, { ...options, onCompromised, retries: LOCK_RETRIES });
  } catch (error) {
    await refuseIfServed(dataDir);
    throw new StartupError(`Another Nightshift is starting or stopping with the data folder ${dataDir}.`, {
      cause: error,
    });
  }
  // `release` fails if the lock was lost, and then nothing is left to release.
  return { release: () => release().catch(() => undefined) };
}

async function createFolder(dataDir: string): Promise<void> {
  try {
    // The folder is private, because it holds prompts. As root, Postgres runs as another user, which must pass through
    // it.
    await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`Cannot create the data folder: ${reason}. Set NIGHTSHIFT_DATA_DIR to use another.`, {
      cause: error,
    });
  }
}

async function refuseIfServed(dataDir: string): Promise<void> {
  const other = await readAliveSupervisor(dataDir);
  if (other === null) return;
  const where = other.url === null ? "is starting" : `runs at ${other.url}`;
  throw new StartupError(
    `The data folder ${dataDir} is in use: Nightshift with pid ${String(other.pid)} ${where}.\n` +
      `Stop it, or set another folder (NIGHTSHIFT_DATA_DIR) and another port (PORT) for this one.`,
  );
}
