/** The contract of `join`, as tests for every object store. */
import { beforeAll, expect, test } from "@jest/globals";
import { randomBytes, randomUUID } from "node:crypto";
import { ObjectNotFoundError, type JoinSource, type ObjectPiece, type ObjectStore } from "../src/object-store.ts";
import { liveBufferBytes, settledBufferBytes } from "./live-memory.ts";
import { chunks, digest, failing, HangingSource } from "./sources.ts";

const MIB = 1024 * 1024;

/** A stored object from which pieces are taken. S3 copies parts of the large one on the server. */
interface Stored {
  readonly key: string;
  readonly bytes: Buffer;
}

/** Registers the tests, which call `store` when they run. */
export function joinContract(store: () => ObjectStore): void {
  const small: Stored = { key: freshKey(), bytes: randomBytes(2 * MIB) };
  const large: Stored = { key: freshKey(), bytes: randomBytes(20 * MIB) };

  beforeAll(async () => {
    await store().put(small.key, small.bytes);
    await store().put(large.key, large.bytes);
  });

  results(store, small, large);
  refusals(store, small, large);
  failures(store, small);
}

function freshKey(): string {
  return `join/${randomUUID()}/object.bin`;
}

/** A piece and its expected bytes. */
interface Expected {
  readonly source: JoinSource;
  readonly bytes: Uint8Array;
}

function piece({ key, bytes }: Stored, offset: number, length: number): Expected {
  return { source: { key, offset, length }, bytes: bytes.subarray(offset, offset + length) };
}

function inMemory(bytes: Uint8Array): Expected {
  return { source: bytes, bytes };
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  for (const item of items) yield await Promise.resolve(item);
}

function results(store: () => ObjectStore, small: Stored, large: Stored): void {
  async function expectJoined(parts: readonly Expected[]): Promise<void> {
    const key = freshKey();

    const written = await store().join(key, asynchronous(parts.map(({ source }) => source)));

    const expected = Buffer.concat(parts.map(({ bytes }) => bytes));
    expect(written.bytes).toBe(expected.length);
    expect(await store().head(key)).toEqual(written);
    expect((await store().read(key)).equals(expected)).toBe(true);
  }

  test("joins many small pieces with bytes in memory between them", async () => {
    const parts = Array.from({ length: 300 }, (_, index) => {
      if (index % 3 === 0) return inMemory(Buffer.from(`line ${String(index)}\n`));
      return piece(index % 3 === 1 ? small : large, (index * 7_919) % MIB, (index * 31) % 5_000);
    });

    await expectJoined(parts);
  });

  test("joins small pieces in the order of their objects, with gaps", async () => {
    await expectJoined(Array.from({ length: 100 }, (_, index) => piece(small, index * 10_007, 10_000)));
  });

  test("joins 12 MiB of pieces of 1 MiB that are not adjacent", async () => {
    await expectJoined(Array.from({ length: 12 }, (_, index) => piece(index % 2 ? small : large, index * 10_001, MIB)));
  });

  test("joins adjacent pieces that form one large piece", async () => {
    await expectJoined(Array.from({ length: 12 }, (_, index) => piece(large, 5 + index * MIB, MIB)));
  });

  test.each([
    ["exactly a part of S3", 5 * MIB],
    ["a byte more than a part", 5 * MIB + 1],
    ["several parts", 17 * MIB + 3],
    ["the whole object", 20 * MIB],
  ])("joins one large piece: %s", async (_name, length) => {
    await expectJoined([piece(large, 20 * MIB - length, length)]);
  });

  test.each([
    ["a byte", 1, 12 * MIB],
    ["all but a byte of a part", 5 * MIB - 1, 12 * MIB],
    ["so much that the rest of the piece is small", 3 * MIB, 6 * MIB],
    ["so much that the rest of the piece is one part", MIB, 9 * MIB],
  ])("joins a large piece after a remainder: %s", async (_name, remainder, length) => {
    await expectJoined([
      inMemory(large.bytes.subarray(7, 7 + remainder)),
      piece(large, 11, length),
      piece(small, 3, 1_000),
      piece(large, 2 * MIB, length),
    ]);
  });

  test("joins more than one part of bytes in memory", async () => {
    const key = freshKey();

    const written = await store().join(key, chunks(13, MIB + 1));

    expect(written.bytes).toBe(13 * (MIB + 1));
    expect(await digest(await store().openRead(key))).toBe(await digest(chunks(13, MIB + 1)));
  });

  test.each([
    ["no sources", []],
    [
      "pieces without bytes, even of a missing object",
      [new Uint8Array(), { key: "join/missing", offset: 9, length: 0 }],
    ],
  ])("writes an empty object: %s", async (_name, sources: JoinSource[]) => {
    const key = freshKey();

    const written = await store().join(key, sources);

    expect(written.bytes).toBe(0);
    expect(await store().head(key)).toEqual(written);
    expect(await store().read(key)).toHaveLength(0);
  });

  test("an object may be a source of its replacement", async () => {
    const key = freshKey();
    await store().put(key, Buffer.from("first"));

    await store().join(key, [{ key, offset: 0, length: 5 }, Buffer.from(" and more"), { key, offset: 4, length: 1 }]);

    expect((await store().read(key)).toString()).toBe("first and moret");
  });

  test("copies bytes in memory before it reads the next source, so that the source may reuse its memory", async () => {
    const key = freshKey();
    const reused = Buffer.alloc(4);
    function* sources(): Generator<JoinSource, void, undefined> {
      for (let index = 0; index < 50; index += 1) {
        reused.write(String(index).padStart(3, "0") + " ");
        yield reused;
        yield { key: small.key, offset: index, length: 1 };
      }
    }

    await store().join(key, sources());

    const expected = Array.from({ length: 50 }, (_, index) => [
      Buffer.from(String(index).padStart(3, "0") + " "),
      small.bytes.subarray(index, index + 1),
    ]);
    expect((await store().read(key)).equals(Buffer.concat(expected.flat()))).toBe(true);
  });

  test("uses bounded memory for any length", async () => {
    const key = freshKey();
    const before = await settledBufferBytes();
    let peak = 0;
    async function* sources(): AsyncGenerator<JoinSource, void, undefined> {
      for (let index = 0; index < 80; index += 1) {
        yield await Promise.resolve(Buffer.alloc(MIB / 2, index));
        yield { key: small.key, offset: index, length: MIB };
        if (index % 5 === 0) peak = Math.max(peak, liveBufferBytes() - before);
      }
    }

    const written = await store().join(key, sources());

    expect(written.bytes).toBe(120 * MIB);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(20 * MIB);
  });
}

function refusals(store: () => ObjectStore, small: Stored, large: Stored): void {
  const before = [piece(large, 0, MIB), piece(small, 0, MIB), piece(large, 0, 8 * MIB)].map(({ source }) => source);

  describeEach("alone", []);
  describeEach("after several parts", before);

  function describeEach(place: string, first: readonly JoinSource[]): void {
    async function refused(source: ObjectPiece): Promise<unknown> {
      const key = freshKey();
      const error: unknown = await store()
        .join(key, [...first, source, Buffer.from("more")])
        .catch((reason: unknown) => reason);
      expect(await store().head(key)).toBeNull();
      return error;
    }

    test.each([10, 8 * MIB])(`rejects a piece of %d bytes of a missing object, ${place}`, async (length) => {
      const key = freshKey();

      const error = await refused({ key, offset: 0, length });

      expect(error).toBeInstanceOf(ObjectNotFoundError);
      expect(error).toMatchObject({ key });
    });

    test.each([
      ["a small piece that goes beyond the end", 2 * MIB - 10, 11],
      ["a small piece that begins at the end", 2 * MIB, 1],
      ["a small piece that lies beyond the end", 9 * MIB, 1_000],
      ["a large piece that goes beyond the end", MIB, 8 * MIB],
      ["a large piece that lies beyond the end", 9 * MIB, 8 * MIB],
    ])(`rejects %s, ${place}`, async (_name, offset, length) => {
      const error = await refused({ key: small.key, offset, length });

      expect(error).toBeInstanceOf(RangeError);
      expect(error).toMatchObject({ message: expect.stringContaining(`the object ${small.key} is shorter than the`) });
    });

    test(`rejects a large piece that goes one byte beyond the end of a large object, ${place}`, async () => {
      const error = await refused({ key: large.key, offset: 10 * MIB, length: 10 * MIB + 1 });

      expect(error).toBeInstanceOf(RangeError);
      expect(error).toMatchObject({
        message: expect.stringContaining(`is shorter than the ${String(20 * MIB + 1)} bytes`),
      });
    });
  }

  test.each([
    [-1, 5],
    [5, -4],
    [0.5, 2],
    [0, Number.NaN],
  ])("refuses the offset %d with the length %d", async (offset, length) => {
    await expect(store().join(freshKey(), [{ key: small.key, offset, length }])).rejects.toThrow(RangeError);
  });
}

function failures(store: () => ObjectStore, small: Stored): void {
  /** Yields `count` pieces and `count` arrays in memory, 3 MiB for each pair. */
  async function* sources(count: number): AsyncGenerator<JoinSource, void, undefined> {
    for (let index = 0; index < count; index += 1) {
      yield { key: small.key, offset: 0, length: 2 * MIB };
      yield await Promise.resolve(Buffer.alloc(MIB, index));
    }
  }

  test.each([
    ["immediately", 0],
    ["within the first part", 1],
    ["after several parts", 7],
  ])("keeps the old object when the sources throw %s", async (_name, count) => {
    const [fresh, replaced] = [freshKey(), freshKey()];
    const before = await store().put(replaced, Buffer.from("before"));
    const error = new Error("the batch was cancelled");

    await expect(store().join(fresh, failing(sources(count), error))).rejects.toBe(error);
    await expect(store().join(replaced, failing(sources(count), error))).rejects.toBe(error);

    expect(await store().head(fresh)).toBeNull();
    expect(await store().head(replaced)).toEqual(before);
  });

  test("leaves nothing when the sources throw synchronously", async () => {
    const key = freshKey();
    const error = new Error("the batch was cancelled");
    function* throwing(): Generator<JoinSource, void, undefined> {
      yield { key: small.key, offset: 0, length: MIB };
      throw error;
    }

    await expect(store().join(key, throwing())).rejects.toBe(error);

    expect(await store().head(key)).toBeNull();
  });

  test.each([
    ["within the first part", 1],
    ["after several parts", 7],
  ])("leaves nothing and closes the sources when aborted while they hang %s", async (_name, count) => {
    const key = freshKey();
    const source = new HangingSource(sources(count));
    const abort = new AbortController();
    const reason = new Error("the worker is going down");

    const written = store().join(key, source, abort.signal);
    await source.hanging;
    abort.abort(reason);

    await expect(written).rejects.toBe(reason);
    expect(source.isClosed).toBe(true);
    expect(await store().head(key)).toBeNull();
  });

  test("leaves nothing when aborted while requests run", async () => {
    const key = freshKey();
    const abort = new AbortController();
    const reason = new Error("the worker is going down");
    async function* aborting(): AsyncGenerator<JoinSource, void, undefined> {
      yield* sources(7);
      abort.abort(reason);
    }

    await expect(store().join(key, aborting(), abort.signal)).rejects.toBe(reason);

    expect(await store().head(key)).toBeNull();
  });

  test("writes and reads nothing when the signal has already aborted", async () => {
    const key = freshKey();
    let isAsked = false;
    const source = chunks(1, 1, () => {
      isAsked = true;
    });

    const written = store().join(key, source, AbortSignal.abort(new Error("too late")));

    await expect(written).rejects.toThrow("too late");
    expect(isAsked).toBe(false);
    expect(await store().head(key)).toBeNull();
  });

  test("removes its listeners from a signal that does not abort", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };

    await store().join(freshKey(), sources(2), signal);

    expect(listeners).toBe(0);
  });
}
