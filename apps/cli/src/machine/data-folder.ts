/** Holding the data folder: one supervisor at a time, on this machine or, over a shared volume, on another. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { StartupError } from "@nightshift/service";
import lockfile from "proper-lockfile";
import { readAliveSupervisor } from "./running-file.ts";

/** A lock that was not touched for so long is its dead holder's (the least that proper-lockfile takes). */
const STALE_MS = 2_000;
const TOUCH_MS = 1_000;

/** Waiting this long outlasts the lock of a predecessor that was killed the moment before. */
const TAKE_ATTEMPTS = { retries: 40, factor: 1, minTimeout: 100, maxTimeout: 100 };

export interface HeldFolder {
  readonly release: () => Promise<void>;
}

/**
 * Makes the folder if missing and takes it. `onLost` is called when another supervisor has taken it from us, which it
 * can while this process is frozen. Throws StartupError that says who has it.
 */
export async function holdDataFolder(dataDir: string, onLost: () => void): Promise<HeldFolder> {
  await makeFolder(dataDir);
  await refuseIfServed(dataDir);
  const options = { lockfilePath: path.join(dataDir, "lock"), stale: STALE_MS, update: TOUCH_MS };
  let release: () => Promise<void>;
  // A laptop that slept wakes up with a stale lock. That is no reason to stop unless somebody else took it.
  const onCompromised = (): void => {
    lockfile.lock(dataDir, { ...options, onCompromised }).then((again) => {
      release = again;
    }, onLost);
  };
  try {
    release = await lockfile.lock(dataDir, { ...options, onCompromised, retries: TAKE_ATTEMPTS });
  } catch (error) {
    await refuseIfServed(dataDir);
    throw new StartupError(`Another Nightshift is starting or stopping with the data folder ${dataDir}.`, {
      cause: error,
    });
  }
  // A lock that was lost has nothing left to give back.
  return { release: () => release().catch(() => undefined) };
}

async function makeFolder(dataDir: string): Promise<void> {
  try {
    // It holds customers' prompts. As root others must be able to pass through it: Postgres runs as one of them.
    await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`The data folder cannot be made: ${reason}. NIGHTSHIFT_DATA_DIR names another.`, {
      cause: error,
    });
  }
}

async function refuseIfServed(dataDir: string): Promise<void> {
  const other = await readAliveSupervisor(dataDir);
  if (other === null) return;
  const where = other.url === null ? "is being started" : `serves at ${other.url}`;
  throw new StartupError(
    `The data folder ${dataDir} is in use: the Nightshift with pid ${String(other.pid)} ${where}.\n` +
      `Stop that one, or give this one a folder (NIGHTSHIFT_DATA_DIR) and a port (PORT) of its own.`,
  );
}
