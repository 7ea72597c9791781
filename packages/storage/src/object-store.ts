/** The object store as the rest of Nightshift sees it: bytes under keys, whole or not at all. */
import type { Readable } from "node:stream";

/** Bytes from `start` up to but not including `end`, both counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ObjectInfo {
  readonly bytes: number;
  /** Opaque; changes whenever the bytes do. Without quotes. */
  readonly etag: string;
}

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
   * Writes a stream of unknown length in bounded memory (at most about 32 MiB). When the source throws or `signal`
   * aborts, nothing is left under the key, and the promise rejects with that error.
   */
  putStream(key: string, body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ObjectInfo>;
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
  /** Resolves when the store can be written to; rejects with the reason. Creates the bucket or folder if missing. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
