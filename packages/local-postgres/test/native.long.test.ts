import { access, chmod, cp, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { accountForNewCluster } from "../src/account.ts";
import { installedNative, usableNative, type Native } from "../src/native.ts";
import { cleanUp, makeFolder } from "./running.ts";

afterEach(cleanUp);

const isRoot = process.getuid?.() === 0;
const testAsRoot = isRoot ? test : test.skip;

/** Copies the installed package without symlinks, as npm leaves it when install scripts are blocked. */
async function installWithoutLinks(folder: string): Promise<Native> {
  const installed = await installedNative();
  const native = { ...installed, folder: path.join(folder, "native") };
  await cp(installed.folder, native.folder, { recursive: true, verbatimSymlinks: true });
  for (const link of await listLinks(installed)) await rm(path.join(native.folder, link), { force: true });
  return native;
}

async function listLinks(installed: Native): Promise<string[]> {
  const list = JSON.parse(await readFile(path.join(installed.folder, "pg-symlinks.json"), "utf8")) as {
    target: string;
  }[];
  return list.map(({ target }) => path.relative("native", target));
}

test("creates missing symlinks in the installed package", async () => {
  const folder = makeFolder("open");
  const native = await installWithoutLinks(folder);

  const usable = await usableNative(native, await accountForNewCluster(), folder);

  expect(usable.folder).toBe(native.folder);
  for (const link of await listLinks(native))
    await expect(access(path.join(native.folder, link))).resolves.not.toThrow();
});

testAsRoot("copies an installation that `nobody` cannot enter once when several processes race", async () => {
  const closed = makeFolder("closed");
  const copies = makeFolder("open");
  const native = await installWithoutLinks(closed);
  const account = await accountForNewCluster();

  const usable = await Promise.all([1, 2, 3].map(() => usableNative(native, account, copies)));

  const copy = `postgres-${native.version}`;
  expect(new Set(usable.map(({ folder }) => folder))).toEqual(new Set([path.join(copies, copy)]));
  expect(await readdir(copies)).toEqual([copy]);
});

testAsRoot("makes the copy of an installation with a restrictive umask readable", async () => {
  const copies = makeFolder("open");
  const native = await installWithoutLinks(makeFolder("open"));
  await chmod(path.join(native.folder, "lib"), 0o700);

  const usable = await usableNative(native, await accountForNewCluster(), copies);

  expect(path.dirname(usable.folder)).toBe(copies);
});

test("reports the system's message if the executables do not run", async () => {
  const copies = makeFolder("open");
  const native = await installWithoutLinks(makeFolder("open"));
  await rm(path.join(native.folder, "lib"), { recursive: true });
  await rm(path.join(native.folder, "pg-symlinks.json"));

  const attempt = usableNative(native, await accountForNewCluster(), copies);

  await expect(attempt).rejects.toThrow("Set DATABASE_URL");
});
