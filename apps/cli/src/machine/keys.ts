/** The two secrets of a machine: the dashboard's password, created here, and the first API key, created by the API. */
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CliConfig } from "../config.ts";

/** An API key, and a shell expression for it that does not show the key. */
export interface ApiKey {
  readonly value: string;
  /** A shell expression for use in double quotes, such as `$(cat data/key)`. */
  readonly inShell: string;
}

export const keyFileOf = (dataDir: string): string => path.join(dataDir, "key");
export const adminKeyFileOf = (dataDir: string): string => path.join(dataDir, "admin-key");

/**
 * Returns the configured password, or the password in the data folder's file `admin-key`. The first call creates the
 * file (mode 0600).
 */
export async function ensureAdminKey(config: CliConfig): Promise<string> {
  const known = await findAdminKey(config);
  if (known !== null) return known;
  const file = adminKeyFileOf(config.dataDir);
  const made = randomBytes(24).toString("base64url");
  await writeFile(`${file}.new`, `${made}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

/** Returns the configured password, or the password in the data folder. Returns null if neither exists. */
export async function findAdminKey(config: CliConfig): Promise<string | null> {
  return config.adminKey ?? readTrimmed(adminKeyFileOf(config.dataDir));
}

/** Returns this machine's key of the tenant `default`. Returns null if the database already had keys. */
export async function findApiKey(config: CliConfig): Promise<ApiKey | null> {
  if (config.bootstrapKey !== null) return { value: config.bootstrapKey, inShell: "$NIGHTSHIFT_BOOTSTRAP_KEY" };
  const file = keyFileOf(config.dataDir);
  const value = await readTrimmed(file);
  return value === null ? null : { value, inShell: `$(cat ${forShell(file)})` };
}

/**
 * Returns a path as a user would type it: relative if it is below the current folder, and quoted if the shell needs
 * quotes.
 */
export function forShell(file: string): string {
  const relative = path.relative(process.cwd(), file);
  const shown = relative === "" ? "." : relative.startsWith("..") ? file : relative;
  return /^[\w./@%+=:,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}

async function readTrimmed(file: string): Promise<string | null> {
  try {
    const text = (await readFile(file, "utf8")).trim();
    return text === "" ? null : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
