/** The account of the operating system that Postgres runs under, and the folders that it can enter. */
import { execFile } from "node:child_process";
import { chown, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { LocalPostgresError } from "./errors.ts";

const run = promisify(execFile);

/** `ids` is null if Postgres runs under the account of this process. */
export interface Account {
  readonly ids: { readonly uid: number; readonly gid: number } | null;
}

/** Returns options to spread into the options of spawn and execFile. */
export function spawnAs(account: Account): { uid?: number; gid?: number } {
  return account.ids ?? {};
}

/** Reports whether this process runs as root. Postgres refuses to run as root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Returns the account for a new cluster: the account of this process, or `nobody` if this process runs as root. */
export async function accountForNewCluster(): Promise<Account> {
  if (!isRoot()) return { ids: null };
  const [uid, gid] = await Promise.all(["-u", "-g"].map(async (flag) => (await run("id", [flag, "nobody"])).stdout));
  return { ids: { uid: Number(uid), gid: Number(gid) } };
}

/**
 * Returns the account that owns an existing cluster, because Postgres runs only as the owner. So `sudo` with an
 * ordinary user's cluster runs Postgres as that user. The reverse is impossible and throws LocalPostgresError.
 */
export async function accountOfCluster(home: string): Promise<Account> {
  const { uid, gid } = await stat(home);
  if (!isRoot()) {
    if (uid === process.getuid?.()) return { ids: null };
    throw new LocalPostgresError(
      `The database in ${home} belongs to another user (uid ${String(uid)}), because root or that user started it first. ` +
        `Start as that user again, or set NIGHTSHIFT_DATA_DIR to another data folder.`,
    );
  }
  return uid === 0 ? accountForNewCluster() : { ids: { uid, gid } };
}

/** Reports whether the account can enter the folder. Tries to enter it, so that ACLs and mounts count too. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  if (account.ids === null) return true;
  return run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...spawnAs(account), cwd: "/" }).then(
    () => true,
    () => false,
  );
}

/** Makes the account the owner of a file or folder. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (account.ids !== null) await chown(path, account.ids.uid, account.ids.gid);
}
