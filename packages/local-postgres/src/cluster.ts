/** Creates a cluster with initdb under a temporary name, then renames it, so that a home is complete or missing. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { giveTo, spawnAs } from "./account.ts";
import { LocalPostgresError } from "./errors.ts";
import { dataOf, passwordFileOf, type Home } from "./home.ts";
import { program, type Native } from "./native.ts";

const run = promisify(execFile);

/** The superuser of Nightshift's clusters. */
export const DATABASE_USER = "nightshift";

/** Creates the cluster if it is missing. Returns the password of its superuser, and whether it is new. */
export async function ensureCluster(home: Home, native: Native): Promise<{ password: string; isNew: boolean }> {
  await removeDrafts(home.folder);
  const isNew = await access(home.folder).then(
    () => false,
    () => true,
  );
  if (isNew) await makeCluster(home, native);
  return { password: await readFile(passwordFileOf(home.folder), "utf8"), isNew };
}

async function makeCluster(home: Home, native: Native): Promise<void> {
  const draft = `${home.folder}.new-${randomBytes(4).toString("hex")}`;
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFileOf(draft), randomBytes(24).toString("base64url"), { mode: 0o600 });
  await giveTo(home.account, passwordFileOf(draft));
  await giveTo(home.account, draft);
  const settings = [
    ...["--pgdata", dataOf(draft), "--username", DATABASE_USER, "--pwfile", passwordFileOf(draft)],
    ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"],
    // This is Postgres' own C.UTF-8, whose sorting and case rules do not depend on the machine's C library.
    ...["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"],
  ];
  try {
    await run(program(native, "initdb"), settings, { ...spawnAs(home.account), cwd: draft });
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const said = error instanceof Error ? error.message : String(error);
    throw new LocalPostgresError(`Postgres could not create its database in ${home.folder}: ${said}`, { cause: error });
  }
  await rename(draft, home.folder);
}

/** Removes the drafts of processes that died during initdb. */
async function removeDrafts(home: string): Promise<void> {
  const parent = path.dirname(home);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${path.basename(home)}.new-`)) await rm(path.join(parent, name), { recursive: true });
  }
}
