/** Creates the first API key, so that a new installation can be used at once. */
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
  /** The value of NIGHTSHIFT_BOOTSTRAP_KEY. */
  readonly configuredKey: string | undefined;
  /** The folder for a generated key. The command line reads it from the file `key`, which only its owner can read. */
  readonly dataDir: string;
}

/**
 * Adds the configured key if it is new. A changed value adds a key; older keys stay valid. If no key is configured and
 * no key was ever created, it generates a key and returns it, so that the process can show it once. If several
 * processes start together, one of them gets the key and the others get null.
 */
export async function bootstrapKey({ db, random, configuredKey, dataDir }: BootstrapDeps): Promise<string | null> {
  if (configuredKey !== undefined) {
    await insertKey(db, describeKey(TENANT, configuredKey));
    return null;
  }
  const key = newApiKey(random);
  const isFirst = await insertFirstKey(db, async () => {
    await writeKeyFile(dataDir, key);
    return describeKey(TENANT, key);
  });
  return isFirst ? key : null;
}

async function writeKeyFile(dataDir: string, key: string): Promise<void> {
  const file = path.join(dataDir, "key");
  try {
    await mkdir(dataDir, { recursive: true });
    // Write and rename: the mode of an existing file must not survive, and no reader may see half a key.
    await writeFile(`${file}.new`, `${key}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (error) {
    throw new StartupError(
      `The first API key cannot be written to ${file}: ${error instanceof Error ? error.message : String(error)}. ` +
        "Make NIGHTSHIFT_DATA_DIR writable, or set NIGHTSHIFT_BOOTSTRAP_KEY to a key of your choice.",
      { cause: error },
    );
  }
}
