import { createServer } from "node:net";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { LocalPostgresError } from "../src/index.ts";
import { ask, cleanUp, isRunning, leaveMark, makeFolder, onCleanUp, readMark, start } from "./running.ts";
import { findOrdinaryUser, killHard, readStarted, spawnStarter } from "./starter.ts";

afterEach(cleanUp);

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await delay(5);
  }
}

describe("an empty folder", () => {
  test("gets a Postgres that keeps its data after a stop and a start", async () => {
    const dir = path.join(makeFolder("open"), "made", "on the way");
    const first = await start({ dir });
    await leaveMark(first.url);
    await first.stop();

    const second = await start({ dir });

    expect(isRunning(first.pid)).toBe(false);
    expect(await readMark(second.url)).toBe(42);
  });

  test("gets a Postgres that only this machine reaches, that needs a password and writes durably", async () => {
    const { url } = await start({ dir: makeFolder("open") });
    const stranger = new URL(url);
    stranger.password = "guessed";

    await expect(ask(stranger.href, "select 1")).rejects.toThrow("password authentication failed");
    expect(await ask(url, "show listen_addresses")).toBe("127.0.0.1");
    expect(await ask(url, "show unix_socket_directories")).toBe("");
    expect(await ask(url, "show fsync")).toBe("on");
    expect(await ask(url, "show server_encoding")).toBe("UTF8");
    expect(Number(await ask(url, "show max_connections"))).toBe(200);
  });

  test("gets a Postgres with the requested settings", async () => {
    const { url } = await start({ dir: makeFolder("open"), settings: { fsync: "off" } });

    expect(await ask(url, "show fsync")).toBe("off");
  });
});

describe("the port", () => {
  test("is the requested one if it is free, so that a restart keeps its URL", async () => {
    const dir = makeFolder("open");
    const first = await start({ dir });
    await first.stop();

    const second = await start({ dir, port: first.port });

    expect(second.url).toBe(first.url);
  });

  test("is another one if the requested one is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onCleanUp(() => void other.close());
    const { port } = other.address() as { port: number };

    const running = await start({ dir: makeFolder("open"), port });

    expect(running.port).not.toBe(port);
    expect(await ask(running.url, "select 1")).toBe(1);
  });
});

describe("after a crash", () => {
  test("of Postgres itself, `exited` resolves and the next start has the data", async () => {
    const dir = makeFolder("open");
    const first = await start({ dir });
    await leaveMark(first.url);

    process.kill(first.pid, "SIGKILL");

    expect(await first.exited).toContain("SIGKILL");
    const second = await start({ dir });
    expect(await readMark(second.url)).toBe(42);
  });

  test("of its parent, the Postgres that outlived it is stopped and the data is there", async () => {
    const dir = makeFolder("open");
    const starter = spawnStarter(dir);
    onCleanUp(() => killHard(starter));
    const left = await readStarted(starter);
    await leaveMark(left.url);
    await killHard(starter);
    expect(isRunning(left.pid)).toBe(true);

    const running = await start({ dir });

    expect(isRunning(left.pid)).toBe(false);
    expect(await readMark(running.url)).toBe(42);
  });

  test("of both at once, a lock file with the pid of another process is ignored", async () => {
    const dir = makeFolder("open");
    const first = await start({ dir });
    await leaveMark(first.url);
    await first.stop();
    const lockFile = path.join(dir, "cluster", "data", "postmaster.pid");
    writeFileSync(lockFile, `${String(process.pid)}\n${path.dirname(lockFile)}\n`);

    const second = await start({ dir });

    expect(await readMark(second.url)).toBe(42);
  });

  test("during the first start, the unfinished cluster is removed and created again", async () => {
    const dir = makeFolder("open");
    const drafts = (): string[] => readdirSync(dir).filter((name) => name.startsWith("cluster.new-"));
    const starter = spawnStarter(dir);
    onCleanUp(() => killHard(starter));
    await until(() => drafts().some((name) => existsSync(path.join(dir, name, "data", "base"))), "initdb at work");
    await killHard(starter);
    expect(readdirSync(dir)).not.toContain("cluster");

    const running = await start({ dir });

    expect(drafts()).toEqual([]);
    expect(await ask(running.url, "select 1")).toBe(1);
  });
});

const ordinaryUser = findOrdinaryUser();
const testWithBoth = ordinaryUser === null ? test.skip : test;

describe("root and an ordinary user", () => {
  testWithBoth("each get a Postgres, and root runs the user's Postgres as that user", async () => {
    const dir = path.join(makeFolder("open"), "data");
    mkdirSync(dir);
    const { uid, gid } = ordinaryUser!;
    chownSync(dir, uid, gid);
    const starter = spawnStarter(dir, ordinaryUser);
    onCleanUp(() => killHard(starter));
    const theirs = await readStarted(starter);
    await leaveMark(theirs.url);
    await killHard(starter);

    const ours = await start({ dir });

    expect(await readMark(ours.url)).toBe(42);
  });

  testWithBoth("do not mix: another user's database is refused with its owner", async () => {
    const dir = makeFolder("open");
    const running = await start({ dir });
    await running.stop();
    const stranger = { uid: ordinaryUser!.uid - 1, gid: ordinaryUser!.gid - 1 };

    const starter = spawnStarter(dir, stranger);
    onCleanUp(() => killHard(starter));

    await expect(readStarted(starter)).rejects.toThrow("belongs to another user");
  });
});

test("an invalid setting fails with Postgres' own message", async () => {
  const attempt = start({ dir: makeFolder("open"), settings: { shared_buffers: "a lot" } });

  await expect(attempt).rejects.toThrow(LocalPostgresError);
  await expect(attempt).rejects.toThrow("invalid value");
});
