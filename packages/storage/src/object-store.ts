/** The interface of the object store: bytes under keys, written completely or not at all. */
import type { Readable } from "node:stream";

/** Bytes from `start` up to but not including `end`, both counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `length` bytes of the object under `key`, starting at `offset`. */
export interface ObjectPiece {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/** A piece of a stored object, or bytes in memory. */
export type JoinSource = ObjectPiece | Uint8Array;

export interface ObjectInfo {
  readonly bytes: number;
  /** An opaque string without quotes that changes whenever the bytes change. */
  readonly etag: string;
}

/** There is no object under `key`. */
export class ObjectNotFoundError extends Error {
  override readonly name = "ObjectNotFoundError";
  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(`no object under the key ${key}`, options);
    this.key = key;
  }
}

/**
 * Keys are segments of `[A-Za-z0-9._-]` separated by `/`. Every write is atomic, even in a crash: a reader sees a
 * complete object or none. A write is durable once it has resolved.
 */
export interface ObjectStore {
  /** Writes bytes in memory as an object. Replaces the object under the key. */
  put(key: string, body: Uint8Array): Promise<ObjectInfo>;
  /**
   * Writes a stream of unknown length in bounded memory (at most about 16 MiB). If the source throws or `signal`
   * aborts, nothing is left under the key, and the promise rejects with that error.
   */
  putStream(key: string, body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ObjectInfo>;
  /**
   * Writes one object from pieces of other objects and bytes in memory, in the given order. The object under `key` may
   * be a source itself. Rejects with ObjectNotFoundError if an object is missing, and with RangeError if an object ends
   * before its piece ends. Empty pieces are not checked. After any failure, including failures of `sources` and aborts
   * by `signal`, nothing is left under the key, and the promise rejects with the first error.
   *
   * Takes at most about 16 MiB of memory on S3, and 1 MiB in a folder. Bytes in memory are copied before the next
   * source is read, so a source may reuse its memory. Adjacent pieces of an object count as one. S3 copies pieces of
   * more than 5 MiB on the server. Smaller pieces pass through this process, with one request for each. An S3 object
   * has at most 10,000 parts, and a join that needs more parts rejects. This allows 48 GiB if all pieces are small, and
   * more if some are large.
   */
  join(
    key: string,
    sources: Iterable<JoinSource> | AsyncIterable<JoinSource>,
    signal?: AbortSignal,
  ): Promise<ObjectInfo>;
  /**
   * Opens an object or a range of it for reading. Rejects with ObjectNotFoundError before it delivers any byte. A range
   * that goes beyond the end of the object is cut off there.
   */
  openRead(key: string, range?: ByteRange): Promise<Readable>;
  /** Reads an object or a range of it into memory. Rejects with ObjectNotFoundError. */
  read(key: string, range?: ByteRange): Promise<Buffer>;
  /** Returns the facts of an object, or null if it does not exist. */
  head(key: string): Promise<ObjectInfo | null>;
  /** Deletes the objects under `keys`. Missing objects are not an error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Returns all keys that begin with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<string>;
  /**
   * Removes unfinished writes of keys below `prefix` that began before `before`. Their bytes belong to no object. A
   * folder store cannot tell to which keys such bytes belong, and removes all of that age.
   */
  discardUnfinished(prefix: string, before: Date): Promise<void>;
  /** Resolves if the store is writable, rejects with the reason otherwise. Creates the bucket or folder if missing. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
