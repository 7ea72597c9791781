/** The object store as the rest of Nightshift sees it: bytes under keys, whole or not at all. */
import type { Readable } from "node:stream";

/** Bytes from `start` up to but not including `end`, both counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `length` bytes of the object under `key`, from `offset` on. */
export interface ObjectPiece {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/** Bytes of an object that is stored, or bytes in memory. */
export type JoinSource = ObjectPiece | Uint8Array;

export interface ObjectInfo {
  readonly bytes: number;
  /** Opaque; changes whenever the bytes do. Without quotes. */
  readonly etag: string;
}

/** There is nothing under `key`. */
export class ObjectNotFoundError extends Error {
  override readonly name = "ObjectNotFoundError";
  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(`no object under the key ${key}`, options);
    this.key = key;
  }
}

/**
 * Keys are `/`-separated, of `[A-Za-z0-9._-]` segments. Every write is atomic: a reader sees all of an object or that it
 * is not there, also after a crash, and once a write has resolved it is durable.
 */
export interface ObjectStore {
  /** Writes an object that is in memory. Replaces what was under the key. */
  put(key: string, body: Uint8Array): Promise<ObjectInfo>;
  /**
   * Writes a stream of unknown length in bounded memory (at most about 16 MiB). When the source throws or `signal`
   * aborts, nothing is left under the key, and the promise rejects with that error.
   */
  putStream(key: string, body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ObjectInfo>;
  /**
   * Writes one object out of pieces of others and of bytes in memory, in their order; `key` itself may be one of the
   * others. Rejects with ObjectNotFoundError of the object that is missing, and with a RangeError where one ends before
   * its piece does; pieces without bytes are not looked for. When that happens, `sources` throws or `signal` aborts,
   * nothing is left under the key, and the promise rejects with the first error.
   *
   * Takes at most about 16 MiB of memory on S3, 1 MiB in a folder; bytes in memory are copied before the next source is
   * asked for, so that a source may use its memory again. What follows in one object is one piece. S3 copies
   * pieces of more than 5 MiB by itself; smaller ones pass through us, each for the price of a request. There an object
   * has at most 10,000 parts, beyond which this rejects: of small pieces alone that is 48 GiB, of large ones more.
   */
  join(
    key: string,
    sources: Iterable<JoinSource> | AsyncIterable<JoinSource>,
    signal?: AbortSignal,
  ): Promise<ObjectInfo>;
  /**
   * Opens an object, or a range of it, for reading. Rejects with ObjectNotFoundError before any byte is delivered. A range
   * is cut to what is there: beyond the end lies nothing.
   */
  openRead(key: string, range?: ByteRange): Promise<Readable>;
  /** Reads an object, or a range of it, into memory. Rejects with ObjectNotFoundError. */
  read(key: string, range?: ByteRange): Promise<Buffer>;
  /** Null where there is no such object. */
  head(key: string): Promise<ObjectInfo | null>;
  /** Deletes all that exist of `keys`; those that do not are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** All keys that begin with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<string>;
  /**
   * Removes what writers of keys below `prefix` left unfinished that began before `before`: bytes that belong to no object.
   * A folder does not know the keys of such bytes, and removes all of that age.
   */
  discardUnfinished(prefix: string, before: Date): Promise<void>;
  /** Resolves when the store can be written to; rejects with the reason. Creates the bucket or folder if missing. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
