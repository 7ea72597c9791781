import { beforeEach, expect, test } from "@jest/globals";
import type { ObjectStore } from "./object-store.ts";
import { withRecentObjects } from "./recent-objects.ts";

let reads: string[];
let stored: Map<string, Buffer>;
let recent: ObjectStore;

beforeEach(() => {
  reads = [];
  stored = new Map();
  const objects: Partial<ObjectStore> = {
    put: (key, body) => {
      stored.set(key, Buffer.from(body));
      return Promise.resolve({ bytes: body.byteLength, etag: "e" });
    },
    read: (key, range) => {
      reads.push(key);
      const body = stored.get(key);
      if (body === undefined) return Promise.reject(new Error(`no ${key}`));
      return Promise.resolve(range === undefined ? body : body.subarray(range.start, range.end));
    },
    delete: (keys) => {
      for (const key of keys) stored.delete(key);
      return Promise.resolve();
    },
  };
  recent = withRecentObjects(objects as ObjectStore, { maxBytes: 1_200, maxObjectBytes: 40 });
});

test("serves an object that was just written, completely or in part", async () => {
  await recent.put("a", Buffer.from("0123456789"));

  expect((await recent.read("a")).toString()).toBe("0123456789");
  expect((await recent.read("a", { start: 2, end: 4 })).toString()).toBe("23");
  expect((await recent.read("a", { start: 8, end: 40 })).toString()).toBe("89");
  expect(reads).toEqual([]);
});

test("does not depend on the writer's memory", async () => {
  const body = Buffer.from("before");
  await recent.put("a", body);
  body.fill("x");

  expect((await recent.read("a")).toString()).toBe("before");
});

test("caches an object that was read completely, but not a part of one", async () => {
  stored.set("a", Buffer.from("0123456789"));

  await recent.read("a", { start: 0, end: 2 });
  await recent.read("a");
  expect((await recent.read("a", { start: 0, end: 2 })).toString()).toBe("01");

  expect(reads).toEqual(["a", "a"]);
});

test("does not cache large objects, and evicts the oldest", async () => {
  await recent.put("large", Buffer.alloc(41));
  for (const key of ["a", "b", "c"]) await recent.put(key, Buffer.alloc(40));

  for (const key of ["large", "c", "b", "a"]) await recent.read(key);
  expect(reads).toEqual(["large", "a"]);
});

test("counts the overhead of small objects", async () => {
  const keys = Array.from({ length: 10 }, (_, index) => `small-${String(index)}`);
  for (const key of keys) await recent.put(key, Buffer.from("x"));

  for (const key of keys.toReversed()) await recent.read(key);
  expect(reads).toContain("small-0");
  expect(reads).not.toContain("small-9");
  expect(reads.length).toBeGreaterThanOrEqual(8);
});

test("forgets deleted objects", async () => {
  await recent.put("a", Buffer.from("a"));
  await recent.delete(["a"]);

  await expect(recent.read("a")).rejects.toThrow("no a");
});
