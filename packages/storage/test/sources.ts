/** Streams of bytes for the tests of stores: with known content, failing, hanging, and held at a gate. */
import { createHash } from "node:crypto";

/** Yields `count` different chunks of `bytes` each, and calls `onChunk` before each. */
export async function* chunks(
  count: number,
  bytes: number,
  onChunk?: (index: number) => void | Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let index = 0; index < count; index += 1) {
    await onChunk?.(index);
    yield Buffer.alloc(bytes, `chunk ${String(index)} `);
  }
}

/** Yields `before`, then throws `error`. */
export async function* failing<T>(before: AsyncIterable<T>, error: Error): AsyncGenerator<T, void, undefined> {
  yield* before;
  throw error;
}

/** A source that hangs after `before`, and reports when it began to hang and when it was closed. */
export class HangingSource<T> implements AsyncIterable<T> {
  readonly hanging: Promise<void>;
  isClosed = false;
  readonly #before: AsyncIterable<T>;
  #beginToHang: () => void = () => undefined;

  constructor(before: AsyncIterable<T>) {
    this.#before = before;
    this.hanging = new Promise((resolve) => (this.#beginToHang = resolve));
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const before = this.#before[Symbol.asyncIterator]();
    return {
      next: async () => {
        const next = await before.next();
        if (next.done !== true) return next;
        this.#beginToHang();
        return new Promise(() => undefined);
      },
      return: () => {
        this.isClosed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** Returns the SHA-256 of all bytes, in hex. */
export async function digest(source: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of source) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
