/**
 * Finds the home of a cluster: one folder with its data, password and log, so that they are created, moved and deleted
 * together.
 */
import { randomBytes } from "node:crypto";
import { access, chmod, mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { accountForNewCluster, accountOfCluster, canEnter, isRoot, type Account } from "./account.ts";
import { LocalPostgresError } from "./errors.ts";

/** Root's folder for files that `nobody` must reach when it cannot enter the caller's folder. */
const SYSTEM_FOLDER = "/var/lib/nightshift";

export interface Home {
  /** The folder, owned by the account with mode 0700. It may not exist yet. */
  readonly folder: string;
  readonly account: Account;
  /** The folder for copies of the executables, if the account cannot run the installed ones. */
  readonly copiesFolder: string;
}

/** The cluster's files below its home. */
export const dataOf = (home: string): string => path.join(home, "data");
export const passwordFileOf = (home: string): string => path.join(home, "password");
export const logFileOf = (home: string): string => path.join(home, "postgres.log");

/**
 * Decides where the cluster of `dir` is or will be. It is in `dir`, unless this process is root and `nobody` cannot
 * enter `dir`. In that case, it is under /var/lib/nightshift/clusters, and the file `dir/postgres-id` has its id. So
 * deleting `dir` always gives a fresh start.
 */
export async function findHome(dir: string): Promise<Home> {
  await mkdir(dir, { recursive: true });
  const base = await realpath(dir);
  const local = path.join(base, "cluster");
  const id = await readId(base);
  if (id !== null) return systemHome(base, id);

  const copiesFolder = isRoot() ? SYSTEM_FOLDER : base;
  if (await exists(local)) {
    const account = await accountOfCluster(local);
    if (await canEnter(account, base)) return { folder: local, account, copiesFolder };
    throw new LocalPostgresError(
      `The database in ${local} belongs to uid ${String(account.ids?.uid)}, which cannot enter that folder. ` +
        `Allow access to the folders above it (chmod o+x), or move the data folder back to its old place.`,
    );
  }
  const account = await accountForNewCluster();
  if (await canEnter(account, base)) return { folder: local, account, copiesFolder };
  const newId = randomBytes(8).toString("hex");
  await writeId(base, newId, "new");
  return systemHome(base, { id: newId, isMade: false });
}

/** Records that the cluster exists, so that a lost cluster is not mistaken for a first start. */
export async function noteMade(dir: string): Promise<void> {
  const known = await readId(dir);
  if (known !== null && !known.isMade) await writeId(dir, known.id, "made");
}

interface KnownId {
  readonly id: string;
  readonly isMade: boolean;
}

async function systemHome(base: string, { id, isMade }: KnownId): Promise<Home> {
  const clusters = path.join(SYSTEM_FOLDER, "clusters");
  for (const folder of [SYSTEM_FOLDER, clusters]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
  }
  const folder = path.join(clusters, id);
  if (isMade && !(await exists(folder))) {
    throw new LocalPostgresError(
      `The database of ${base} was in ${folder} and is gone. Restore it, or remove the data folder for a fresh start.`,
    );
  }
  await claim(base, path.join(clusters, `${id}.data-folder`));
  const account = (await exists(folder)) ? await accountOfCluster(folder) : await accountForNewCluster();
  return { folder, account, copiesFolder: SYSTEM_FOLDER };
}

/**
 * Refuses the copy of a data folder while the original exists, because both have the same id, and each would stop the
 * Postgres of the other.
 */
async function claim(base: string, ownerFile: string): Promise<void> {
  const owner = await readFile(ownerFile, "utf8").catch(() => base);
  if (owner !== base) {
    const [theirs, ours] = await Promise.all([owner, base].map((folder) => fileIdentity(idFileOf(folder))));
    const isSameId = (await readId(owner).catch(() => null))?.id === (await readId(base))?.id;
    if (theirs !== null && theirs !== ours && isSameId) {
      throw new LocalPostgresError(
        `${base} is a copy of ${owner}, but the database was not copied and belongs to ${owner}. ` +
          `Remove the copy, or delete ${idFileOf(base)} to give it a new database.`,
      );
    }
  }
  await writeFile(ownerFile, base);
}

async function fileIdentity(file: string): Promise<string | null> {
  return stat(file).then(
    ({ dev, ino }) => `${String(dev)}:${String(ino)}`,
    () => null,
  );
}

const idFileOf = (base: string): string => path.join(base, "postgres-id");

async function readId(base: string): Promise<KnownId | null> {
  const text = await readFile(idFileOf(base), "utf8").catch(() => null);
  if (text === null) return null;
  const [, id, state] = /^([0-9a-f]{16}) (new|made)\n$/.exec(text) ?? [];
  if (id === undefined)
    throw new LocalPostgresError(
      `${idFileOf(base)} is damaged. Restore it, or remove the data folder for a fresh start.`,
    );
  return { id, isMade: state === "made" };
}

async function writeId(base: string, id: string, state: "new" | "made"): Promise<void> {
  const draft = `${idFileOf(base)}.new`;
  await writeFile(draft, `${id} ${state}\n`);
  await rename(draft, idFileOf(base));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
