/** Under which account of the operating system Postgres runs, and what that account can reach. */
import { execFile } from "node:child_process";
import { chown, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { LocalPostgresError } from "./errors.ts";

const run = promisify(execFile);

/** `ids` is null where Postgres runs as whoever runs us. */
export interface Account {
  readonly ids: { readonly uid: number; readonly gid: number } | null;
}

/** Spreads into the options of spawn and execFile. */
export function spawnAs(account: Account): { uid?: number; gid?: number } {
  return account.ids ?? {};
}

/** True when we run as root, whom Postgres refuses to serve. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The account for a new cluster: our own, or `nobody` when we are root. */
export async function accountForNewCluster(): Promise<Account> {
  if (!isRoot()) return { ids: null };
  const [uid, gid] = await Promise.all(["-u", "-g"].map(async (flag) => (await run("id", [flag, "nobody"])).stdout));
  return { ids: { uid: Number(uid), gid: Number(gid) } };
}

/**
 * The account that an existing cluster belongs to: Postgres serves a cluster to its owner only. So `sudo` on a cluster
 * that an ordinary user made goes on as that user; the other way round cannot work and throws LocalPostgresError.
 */
export async function accountOfCluster(home: string): Promise<Account> {
  const { uid, gid } = await stat(home);
  if (!isRoot()) {
    if (uid === process.getuid?.()) return { ids: null };
    throw new LocalPostgresError(
      `The database in ${home} belongs to another user (uid ${String(uid)}): it was started as root, or by that user, ` +
        `before. Start as that user again, or name another data folder (NIGHTSHIFT_DATA_DIR).`,
    );
  }
  return uid === 0 ? accountForNewCluster() : { ids: { uid, gid } };
}

/** True when the account can enter the folder. Asks the kernel by trying, so ACLs and mounts count too. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  if (account.ids === null) return true;
  return run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...spawnAs(account), cwd: "/" }).then(
    () => true,
    () => false,
  );
}

/** Hands a file or folder of ours to the account. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (account.ids !== null) await chown(path, account.ids.uid, account.ids.gid);
}
