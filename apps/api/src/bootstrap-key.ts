/** Makes sure that there is a first API key, so that the first request can be made. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Db, insertFirstKey, insertKey } from "@nightshift/db";
import type { RandomBytes } from "@nightshift/domain";
import { StartupError } from "@nightshift/service";
import { describeKey, newApiKey } from "./new-api-key.ts";

const TENANT = "default";

export interface BootstrapDeps {
  readonly db: Db;
  readonly random: RandomBytes;
  /** NIGHTSHIFT_BOOTSTRAP_KEY. */
  readonly configuredKey: string | undefined;
  /** Where a key that is made here is kept for the command line, as `key`, readable by its owner only. */
  readonly dataDir: string;
}

/**
 * Adds the configured key where it is new: another value is another key, beside the older ones. Without one, and only where
 * there has never been any key, makes one and returns it to be shown once; of several processes only one gets it.
 */
export async function bootstrapKey({ db, random, configuredKey, dataDir }: BootstrapDeps): Promise<string | null> {
  if (configuredKey !== undefined) {
    await insertKey(db, describeKey(TENANT, configuredKey));
    return null;
  }
  const key = newApiKey(random);
  const isFirst = await insertFirstKey(db, async () => {
    await keepKey(dataDir, key);
    return describeKey(TENANT, key);
  });
  return isFirst ? key : null;
}

async function keepKey(dataDir: string, key: string): Promise<void> {
  const file = path.join(dataDir, "key");
  try {
    await mkdir(dataDir, { recursive: true });
    // Written aside and renamed: an older file's wider mode must not stay, nor half a key be read.
    await writeFile(`${file}.new`, `${key}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (error) {
    throw new StartupError(
      `The first API key cannot be kept in ${file}: ${error instanceof Error ? error.message : String(error)}. ` +
        "Make NIGHTSHIFT_DATA_DIR writable, or choose the key yourself with NIGHTSHIFT_BOOTSTRAP_KEY.",
      { cause: error },
    );
  }
}
