/** The contract of the object store, as tests. The test file of each adapter runs them. */
import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { ObjectNotFoundError, type ObjectStore } from "../src/object-store.ts";
import { joinContract } from "./join-contract.ts";
import { liveBufferBytes, settledBufferBytes } from "./live-memory.ts";
import { chunks, digest, failing, HangingSource } from "./sources.ts";

const MIB = 1024 * 1024;

/** Registers the tests, which call `store` when it is open and ready. */
export function objectStoreContract(store: () => ObjectStore): void {
  // Writing a thousand objects is slow on a busy disk.
  jest.setTimeout(60_000);
  writing(store);
  reading(store);
  failures(store);
  concurrency(store);
  keys(store);
  describe("joining", () => {
    joinContract(store);
  });
}

function freshKey(): string {
  return `contract/${randomUUID()}/object.bin`;
}

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all.sort();
}

function writing(store: () => ObjectStore): void {
  test("reads an object that was put, and describes it by size and ETag", async () => {
    const key = freshKey();

    const written = await store().put(key, Buffer.from("the bytes"));

    expect(written.bytes).toBe(9);
    expect(written.etag).toMatch(/^[^"\s]+$/);
    expect(await store().head(key)).toEqual(written);
    expect((await store().read(key)).toString()).toBe("the bytes");
    expect((await buffer(await store().openRead(key))).toString()).toBe("the bytes");
  });

  test("a second put replaces the first, and the ETag changes with the bytes", async () => {
    const key = freshKey();

    const first = await store().put(key, Buffer.from("first"));
    const second = await store().put(key, Buffer.from("secnd"));

    expect((await store().read(key)).toString()).toBe("secnd");
    expect(second.etag).not.toBe(first.etag);
    expect(await store().head(key)).toEqual(second);
  });

  test("an object may be empty, put or streamed", async () => {
    const [put, streamed] = [freshKey(), freshKey()];

    const infos = [await store().put(put, new Uint8Array()), await store().putStream(streamed, chunks(0, 0))];

    expect(infos.map((info) => info.bytes)).toEqual([0, 0]);
    for (const key of [put, streamed]) {
      expect((await store().head(key))?.bytes).toBe(0);
      expect(await store().read(key)).toHaveLength(0);
      expect(await buffer(await store().openRead(key))).toHaveLength(0);
    }
  });

  test.each([
    ["20 MiB in chunks that do not align with parts", 20_000, 1_049],
    ["one chunk larger than two parts", 1, 13 * MIB + 1],
    ["a few bytes", 3, 5],
    ["exactly one part", 6, MIB],
  ])("reads a stream back unchanged: %s", async (_name, count, bytes) => {
    const key = freshKey();

    const written = await store().putStream(key, chunks(count, bytes));

    expect(written.bytes).toBe(count * bytes);
    expect(await store().head(key)).toEqual(written);
    expect(await digest(await store().openRead(key))).toBe(await digest(chunks(count, bytes)));
  });

  test("writes a stream of any length in bounded memory", async () => {
    const key = freshKey();
    const before = await settledBufferBytes();
    let peak = 0;
    const measure = (): void => {
      peak = Math.max(peak, liveBufferBytes() - before);
    };

    await store().putStream(
      key,
      chunks(160, MIB, (index) => {
        if (index % 5 === 0) measure();
      }),
    );

    expect((await store().head(key))?.bytes).toBe(160 * MIB);
    expect(peak).toBeLessThan(36 * MIB);
    const kept = await buffer(chunks(60, MIB));
    measure();
    expect(kept).toHaveLength(60 * MIB);
    expect(peak).toBeGreaterThan(36 * MIB); // proves that the measurement above would have seen kept buffers
  });
}

function reading(store: () => ObjectStore): void {
  test.each([
    ["the middle", 2, 5, "cde"],
    ["the beginning", 0, 1, "a"],
    ["the end", 7, 10, "hij"],
    ["all", 0, 10, "abcdefghij"],
    ["partly beyond the end: the existing bytes", 8, 1_000_000, "ij"],
    ["entirely beyond the end: nothing", 10, 12, ""],
    ["no bytes", 4, 4, ""],
  ])("reads a range: %s", async (_name, start, end, expected) => {
    const key = freshKey();
    await store().put(key, Buffer.from("abcdefghij"));

    const read = await store().read(key, { start, end });
    const streamed = await buffer(await store().openRead(key, { start, end }));

    expect(read.toString()).toBe(expected);
    expect(streamed.toString()).toBe(expected);
  });

  test("a range of an empty object is empty", async () => {
    const key = freshKey();
    await store().put(key, new Uint8Array());

    expect(await store().read(key, { start: 0, end: 10 })).toHaveLength(0);
  });

  test("reads an exact range in the middle of a large object", async () => {
    const key = freshKey();
    const whole = await buffer(chunks(15, MIB));
    await store().putStream(key, chunks(15, MIB));

    const range = { start: 5 * MIB + 17, end: 9 * MIB + 3 };

    expect((await store().read(key, range)).equals(whole.subarray(range.start, range.end))).toBe(true);
  });

  test.each([
    [-1, 5],
    [5, 4],
    [0.5, 2],
    [0, Number.NaN],
  ])("refuses the range %d to %d", async (start, end) => {
    const key = freshKey();
    await store().put(key, Buffer.from("abc"));

    await expect(store().read(key, { start, end })).rejects.toThrow(RangeError);
    await expect(store().openRead(key, { start, end })).rejects.toThrow(RangeError);
  });

  test("a missing object is an ObjectNotFoundError for readers and null for head", async () => {
    const key = freshKey();
    await store().put(`${key}.neighbour`, Buffer.from("x"));

    for (const range of [undefined, { start: 0, end: 5 }, { start: 0, end: 0 }]) {
      await expect(store().read(key, range)).rejects.toThrow(ObjectNotFoundError);
      await expect(store().openRead(key, range)).rejects.toThrow(ObjectNotFoundError);
    }
    expect(await store().head(key)).toBeNull();
  });
}

function failures(store: () => ObjectStore): void {
  describe.each([
    ["at its first chunk", 0],
    ["within the first part", 2],
    ["after several parts", 15],
  ])("a stream that ends in an error %s", (_name, count) => {
    test("leaves nothing under a new key and rejects with that error", async () => {
      const key = freshKey();
      const error = new Error("the client went away");

      const written = store().putStream(key, failing(chunks(count, MIB), error));

      await expect(written).rejects.toBe(error);
      expect(await store().head(key)).toBeNull();
      expect(await collect(store().list(key))).toEqual([]);
    });

    test("keeps the old object", async () => {
      const key = freshKey();
      const before = await store().put(key, Buffer.from("before"));

      const written = store().putStream(key, failing(chunks(count, MIB), new Error("the client went away")));

      await expect(written).rejects.toThrow("the client went away");
      expect(await store().head(key)).toEqual(before);
    });
  });

  test.each([
    ["within the first part", 2],
    ["after several parts", 15],
  ])("leaves nothing and closes the source when aborted while it hangs %s", async (_name, count) => {
    const key = freshKey();
    const source = new HangingSource(chunks(count, MIB));
    const abort = new AbortController();
    const reason = new Error("the upload was given up");

    const written = store().putStream(key, source, abort.signal);
    await source.hanging;
    abort.abort(reason);

    await expect(written).rejects.toBe(reason);
    expect(source.isClosed).toBe(true);
    expect(await store().head(key)).toBeNull();
  });

  test("writes and reads nothing when the signal has already aborted", async () => {
    const key = freshKey();
    let isRead = false;
    const source = chunks(1, 1, () => {
      isRead = true;
    });

    const written = store().putStream(key, source, AbortSignal.abort(new Error("too late")));

    await expect(written).rejects.toThrow("too late");
    expect(isRead).toBe(false);
    expect(await store().head(key)).toBeNull();
  });
}

function concurrency(store: () => ObjectStore): void {
  test("an object does not exist until it is completely written", async () => {
    const key = freshKey();
    const source = new HangingSource(chunks(15, MIB));
    const abort = new AbortController();

    const written = store().putStream(key, source, abort.signal);
    await source.hanging;

    expect(await store().head(key)).toBeNull();
    await expect(store().read(key)).rejects.toThrow(ObjectNotFoundError);
    expect(await collect(store().list(key))).toEqual([]);
    abort.abort(new Error("seen enough"));
    await expect(written).rejects.toThrow("seen enough");
  });

  test("readers of an object that is being replaced see one complete version", async () => {
    const key = freshKey();
    await store().put(key, Buffer.alloc(MIB, 0));
    let isDone = false;
    const versionsSeen = new Set<number>();
    const read = async (): Promise<void> => {
      while (!isDone) {
        const bytes = await store().read(key);
        expect(bytes).toHaveLength(MIB);
        expect(bytes.equals(Buffer.alloc(MIB, bytes[0] ?? 0))).toBe(true);
        versionsSeen.add(bytes[0] ?? 0);
      }
    };

    const readers = [read(), read()];
    for (let version = 1; version <= 20; version += 1) {
      if (version % 2 === 0) await store().put(key, Buffer.alloc(MIB, version));
      else await store().putStream(key, piecewise(Buffer.alloc(MIB, version)));
    }
    isDone = true;
    await Promise.all(readers);

    expect(versionsSeen.size).toBeGreaterThan(1);
    expect((await store().read(key))[0]).toBe(20);
  });

  test("if many writers write one key, the object has all bytes of one writer", async () => {
    const key = freshKey();

    const written = await Promise.all(
      Array.from({ length: 16 }, (_, index) => store().putStream(key, piecewise(Buffer.alloc(70_000 + index, index)))),
    );

    const bytes = await store().read(key);
    const winner = bytes[0] ?? -1;
    expect(bytes.equals(Buffer.alloc(70_000 + winner, winner))).toBe(true);
    expect(written.map((info) => info.etag)).toContain((await store().head(key))?.etag);
  });

  test("64 requests run concurrently while 64 open downloads are not read", async () => {
    const folder = `contract/${randomUUID()}`;
    await store().put(`${folder}/large`, Buffer.alloc(2 * MIB, 1));
    const downloads = await Promise.all(Array.from({ length: 64 }, () => store().openRead(`${folder}/large`)));

    const read = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const key = `${folder}/small-${String(index)}`;
        await store().put(key, Buffer.from(key));
        return (await store().read(key)).toString() === key;
      }),
    );

    expect(read).toEqual(Array.from({ length: 64 }, () => true));
    for (const download of downloads) download.destroy();
  });
}

async function* piecewise(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += 16_384) {
    await Promise.resolve();
    yield bytes.subarray(start, start + 16_384);
  }
}

function keys(store: () => ObjectStore): void {
  describe("listing", () => {
    const folder = `contract/${randomUUID()}`;
    const all = ["a", "b/1", "b/2", "b/deep/er/3", "b.b", "bb", "c-4/5"].map((key) => `${folder}/${key}`);

    beforeAll(async () => {
      await Promise.all(all.map((key) => store().put(key, Buffer.from("x"))));
    });

    test.each([
      ["a folder", "/", ["a", "b.b", "b/1", "b/2", "b/deep/er/3", "bb", "c-4/5"]],
      ["the beginning of a name", "/b", ["b.b", "b/1", "b/2", "b/deep/er/3", "bb"]],
      ["a folder in a folder", "/b/", ["b/1", "b/2", "b/deep/er/3"]],
      ["the beginning of a folder in folders", "/b/deep/e", ["b/deep/er/3"]],
      ["a whole key", "/b/1", ["b/1"]],
      ["nothing", "/x", []],
      ["a folder that is not there", "/x/y/", []],
    ])("finds keys by prefix: %s", async (_name, prefix, expected) => {
      const found = await collect(store().list(folder + prefix));

      expect(found).toEqual(expected.map((key) => `${folder}/${key}`));
    });

    test("finds every key with the empty prefix", async () => {
      expect(await collect(store().list(""))).toEqual(expect.arrayContaining(all));
    });
  });

  test("lists and deletes more objects than one request can name", async () => {
    const folder = `contract/${randomUUID()}`;
    const written = Array.from({ length: 1_100 }, (_, index) => `${folder}/${String(index).padStart(4, "0")}`);
    for (let first = 0; first < written.length; first += 50) {
      await Promise.all(written.slice(first, first + 50).map((key) => store().put(key, Buffer.from("x"))));
    }
    expect(await collect(store().list(`${folder}/`))).toEqual(written);

    await store().delete(written.slice(1));

    expect(await collect(store().list(`${folder}/`))).toEqual([written[0]]);
  });

  test("deletes existing objects and ignores missing ones", async () => {
    const [there, other, missing] = [freshKey(), freshKey(), freshKey()];
    await store().put(there, Buffer.from("x"));
    await store().put(other, Buffer.from("x"));

    await store().delete([missing, there]);
    await store().delete([missing, there]);
    await store().delete([]);

    expect(await store().head(there)).toBeNull();
    expect(await store().head(other)).not.toBeNull();
  });

  test("accepts every character of the alphabet in a key", async () => {
    const key = `contract/${randomUUID()}/AZaz09._-/..a/.b`;

    await store().put(key, Buffer.from("x"));

    expect(await collect(store().list(key))).toEqual([key]);
  });

  test.each([
    "",
    "/a",
    "a/",
    "a//b",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a b",
    "a\\b",
    "~writing/a",
    "ä",
    "a\0b",
    "a%2e",
    "a".repeat(256),
    "abc/".repeat(256) + "a",
  ])("every method refuses the key %j", async (key) => {
    await expect(store().put(key, Buffer.from("x"))).rejects.toThrow("is not a valid key");
    await expect(store().putStream(key, chunks(1, 1))).rejects.toThrow("is not a valid key");
    await expect(store().join(key, [])).rejects.toThrow("is not a valid key");
    await expect(store().join(freshKey(), [{ key, offset: 0, length: 1 }])).rejects.toThrow("is not a valid key");
    await expect(store().openRead(key)).rejects.toThrow("is not a valid key");
    await expect(store().read(key)).rejects.toThrow("is not a valid key");
    await expect(store().head(key)).rejects.toThrow("is not a valid key");
    await expect(store().delete([freshKey(), key])).rejects.toThrow("is not a valid key");
  });

  test.each(["../", "a/../", "/", "~", "a b"])("refuses the prefix %j", async (prefix) => {
    await expect(collect(store().list(prefix))).rejects.toThrow("is not a valid prefix");
  });

  test("ready can be called concurrently", async () => {
    await expect(Promise.all(Array.from({ length: 8 }, () => store().ready()))).resolves.toHaveLength(8);
  });
}
