/** Contract §1.1, §1.3 and §1.5 for every client: lists of files and batches, and their query parameters. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Query } from "../clients/client.ts";
import { expectRefusal, idOf, idsOf, jsonOf, keysOf } from "../expectations.ts";
import { batchOf } from "../fixture-batches.ts";
import type { ClientFixture } from "../fixture.ts";

const EMPTY_PAGE = { object: "list", data: [], first_id: null, last_id: null, has_more: false };

/** Registers the rows. */
export function listRows({ client }: ClientFixture): void {
  describe("files", () => {
    const FILES = 9;
    let made: string[];

    /** Reads the list in pages of four. Each page starts after the last id of the previous page. */
    const walk = async (order: string): Promise<string[]> => {
      const seen: string[] = [];
      for (;;) {
        const after = seen.at(-1);
        const query: Query = { purpose: "evals", limit: 4, order, ...(after === undefined ? {} : { after }) };
        const page = await jsonOf(client().files.list(query));
        const ids = idsOf(page);
        expect(keysOf(page)).toEqual(["data", "first_id", "has_more", "last_id", "object"]);
        expect(page).toMatchObject({ object: "list", first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null });
        seen.push(...ids);
        if (page["has_more"] !== true) return seen;
      }
    };

    beforeAll(async () => {
      const files = Array.from({ length: FILES }, (_, at) => ({ bytes: Buffer.from("x"), name: `${String(at)}.txt` }));
      made = await Promise.all(files.map((file) => idOf(client().files.create(file, { purpose: "evals" }))));
    });

    test("§1.5: a page that holds all files has no next page, and files with equal created_at are all in it", async () => {
      const page = await jsonOf(client().files.list({ purpose: "evals" }));

      expect(page["has_more"]).toBe(false);
      expect(idsOf(page)).toEqual(expect.arrayContaining(made));
      for (const file of page["data"] as readonly unknown[]) expect(file).toMatchObject({ purpose: "evals" });
    });

    test.each(["desc", "asc"])("§1.1: limit and after page through the list in the order %s", async (order) => {
      const all = (await jsonOf(client().files.list({ purpose: "evals" })))["data"] as {
        id: string;
        created_at: number;
      }[];
      const times = all.map(({ created_at: at }) => at);
      const ids = all.map(({ id }) => id);

      expect(times).toEqual([...times].sort((a, b) => b - a));
      expect(await walk(order)).toEqual(order === "desc" ? ids : ids.reverse());
    });

    test("§1.1, §7.8: a page has up to 10,000 files, which is the default", async () => {
      const most = await jsonOf(client().files.list({ limit: 10_000 }));

      expect(most).toEqual(await jsonOf(client().files.list()));
      expect(idsOf(most).length).toBeGreaterThan(FILES);
    });

    test("§1.5: the list of an unused purpose is empty, with null for both ids", async () => {
      expect(await jsonOf(client().files.list({ purpose: "none-of-these" }))).toEqual(EMPTY_PAGE);
    });

    test.each<[string, Query]>([
      ["limit", { limit: 0 }],
      ["limit", { limit: 10_001 }],
      ["limit", { limit: -1 }],
      ["limit", { limit: 1.5 }],
      ["limit", { limit: "many" }],
      ["order", { order: "newest" }],
      ["after", { after: "file-nothing" }],
      ["after", { after: "\0" }],
    ])("§1.5: an invalid %s returns 400: %j", async (param, query) => {
      expectRefusal(await client().files.list(query), {
        status: 400,
        message: expect.stringContaining(`'${param}'`),
        param,
        code: expect.stringMatching(/^invalid_(value|type)$/) as unknown as string,
      });
    });
  });

  describe("batches", () => {
    const BATCHES = 22;
    /** The ids of the batches, newest first. */
    let made: string[];

    beforeAll(async () => {
      made = [];
      for (let i = 0; i < BATCHES; i += 1) made.unshift(await idOf(client().batches.create(batchOf("file-1"))));
    });

    test("§1.3: a page has 20 batches by default, the newest first", async () => {
      const first = await jsonOf(client().batches.list());
      const second = await jsonOf(client().batches.list({ limit: 2, after: String(first["last_id"]) }));

      expect(keysOf(first)).toEqual(["data", "first_id", "has_more", "last_id", "object"]);
      expect(idsOf(first)).toEqual(made.slice(0, 20));
      expect(first).toMatchObject({ object: "list", has_more: true, first_id: made[0], last_id: made[19] });
      expect(idsOf(second)).toEqual(made.slice(20, 22));
    });

    test("§1.3: a page has up to 100 batches, which equal the retrieved ones", async () => {
      const page = await jsonOf(client().batches.list({ limit: 100 }));
      const newest = (page["data"] as readonly Record<string, unknown>[]).find(({ id }) => id === made[0]);

      expect(idsOf(page)).toEqual(expect.arrayContaining(made));
      expect(Object.keys(newest ?? {}).sort()).toEqual(keysOf(await jsonOf(client().batches.retrieve(made[0]!))));
    });

    test.each<[string, Query]>([
      ["limit", { limit: 0 }],
      ["limit", { limit: 101 }],
      ["limit", { limit: "ten" }],
      ["after", { after: "batch_nothing" }],
    ])("§1.5: an invalid %s returns 400: %j", async (param, query) => {
      expectRefusal(await client().batches.list(query), {
        status: 400,
        message: expect.stringContaining(`'${param}'`),
        param,
        code: expect.stringMatching(/^invalid_(value|type)$/) as unknown as string,
      });
    });
  });
}
