import { cp, mkdir, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { ask, cleanUp, leaveMark, makeFolder, onCleanUp, readMark, removeSystemCluster, start } from "./running.ts";

afterEach(cleanUp);

const clusters = "/var/lib/nightshift/clusters";
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

async function clusterOf(dir: string): Promise<string> {
  const [id = ""] = (await readFile(path.join(dir, "postgres-id"), "utf8")).split(" ");
  return path.join(clusters, id);
}

describeAsRoot("a data folder that `nobody` cannot enter", () => {
  test("has its cluster under /var/lib/nightshift, and finds it again", async () => {
    const dir = makeFolder("closed");
    const first = await start({ dir });
    await leaveMark(first.url);
    await first.stop();

    const second = await start({ dir });

    expect(await readMark(second.url)).toBe(42);
    const cluster = await stat(await clusterOf(dir));
    expect(cluster.mode & 0o777).toBe(0o700);
    expect(cluster.uid).not.toBe(0);
    expect((await stat(clusters)).mode & 0o777).toBe(0o755);
    expect(await readdir(dir)).toEqual(["postgres-id"]);
  });

  test("gets a fresh cluster after it was deleted, and leaves the old one alone", async () => {
    const dir = path.join(makeFolder("closed"), "data");
    const first = await start({ dir });
    await leaveMark(first.url);
    await first.stop();
    const old = await clusterOf(dir);
    onCleanUp(() => rm(old, { recursive: true }));
    onCleanUp(() => rm(`${old}.data-folder`));
    await rm(dir, { recursive: true });

    const second = await start({ dir });
    onCleanUp(() => {
      removeSystemCluster(dir);
    });

    await expect(readMark(second.url)).rejects.toThrow("does not exist");
    expect(await clusterOf(dir)).not.toBe(old);
    expect((await stat(old)).isDirectory()).toBe(true);
  });

  test("may be moved, but a copy of it cannot use the original's cluster", async () => {
    const parent = makeFolder("closed");
    const [original, copy, moved] = ["original", "copy", "moved"].map((name) => path.join(parent, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(original);
    const first = await start({ dir: original });
    onCleanUp(() => {
      removeSystemCluster(moved);
    });
    await leaveMark(first.url);
    await cp(original, copy, { recursive: true });

    await expect(start({ dir: copy })).rejects.toThrow(`is a copy of ${original}`);
    expect(await ask(first.url, "select 1")).toBe(1);

    await first.stop();
    await rename(original, moved);
    const second = await start({ dir: moved });
    expect(await readMark(second.url)).toBe(42);
  });

  test("is refused when its cluster is gone, instead of starting with an empty one", async () => {
    const dir = makeFolder("closed");
    const first = await start({ dir });
    await first.stop();
    await rm(await clusterOf(dir), { recursive: true });

    await expect(start({ dir })).rejects.toThrow("is gone");
  });
});
