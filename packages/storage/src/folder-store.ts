/**
 * The object store of a single machine: a folder with one file for each object. The file's relative path is the key.
 */
import type { BigIntStats } from "node:fs";
import { open, opendir, rmdir, stat, unlink, writeFile, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { isCode, nullIfMissing, removeLeftovers, writeDurably } from "./durable-file.ts";
import { copySources } from "./folder-join.ts";
import { assertKey, assertPrefix, assertRange } from "./key.ts";
import { ObjectNotFoundError, type ByteRange, type ObjectInfo, type ObjectStore } from "./object-store.ts";
import { untilAborted } from "./until-aborted.ts";

/** A key cannot contain `~`, so no object can be in this folder. */
const WORK_FOLDER = "~writing";

/** Leftover files older than this are deleted. No request may take this long, so their writer is gone. */
const LEFTOVER_AGE_MS = 2 * 60 * 60 * 1_000;

const DELETES_AT_ONCE = 16;

/**
 * Bytes per read. With Node's 64 KiB, a download is half as fast as from a static server, because each read costs a
 * promise.
 */
const READ_BYTES = 512 * 1024;

/**
 * Opens the store in the folder `root`, which is created when first needed. Several processes may share it. A write
 * rejects if its key would have to be a file and a folder at once (`a` and `a/b`).
 */
export function openFolderStore(options: { readonly root: string }): ObjectStore {
  const root = path.resolve(options.root);
  const workFolder = path.join(root, WORK_FOLDER);
  const locate = (key: string): string => {
    assertKey(key);
    return path.join(root, key);
  };

  return {
    put: async (key, body) => writeDurably(locate(key), workFolder, (file) => file.writeFile(body), describeOpen),
    putStream: async (key, body, signal) =>
      writeDurably(locate(key), workFolder, (file) => writeFile(file, untilAborted(body, signal)), describeOpen),
    join: async (key, sources, signal) => {
      const open = (source: string): Promise<FileHandle> => openObject(locate(source), source);
      return writeDurably(locate(key), workFolder, (file) => copySources(file, sources, open, signal), describeOpen);
    },
    openRead: async (key, range) => {
      const file = await openObject(locate(key), key);
      if (range === undefined) return file.createReadStream({ highWaterMark: READ_BYTES });
      return streamRange(file, range);
    },
    read: async (key, range) => {
      const file = await openObject(locate(key), key);
      try {
        return range === undefined ? await file.readFile() : await readRange(file, range);
      } finally {
        await file.close();
      }
    },
    head: async (key) => {
      const facts = await stat(locate(key), { bigint: true }).catch(nullIfMissing);
      return facts?.isFile() === true ? describe(facts) : null;
    },
    delete: async (keys) => {
      const files = keys.map(locate);
      for (let first = 0; first < files.length; first += DELETES_AT_ONCE) {
        await Promise.all(files.slice(first, first + DELETES_AT_ONCE).map((file) => deleteFile(file, root)));
      }
    },
    list: (prefix) => listKeys(root, prefix),
    discardUnfinished: (_prefix, before) => removeLeftovers(workFolder, before),
    ready: async () => {
      const probe = path.join(workFolder, "probe");
      await writeDurably(probe, workFolder, () => Promise.resolve(), describeOpen);
      await removeLeftovers(workFolder, new Date(Date.now() - LEFTOVER_AGE_MS));
    },
    close: () => Promise.resolve(),
  };
}

async function openObject(file: string, key: string): Promise<FileHandle> {
  const handle = await open(file, "r").catch(nullIfMissing);
  if (handle === null) throw new ObjectNotFoundError(key);
  if (!(await handle.stat()).isFile()) {
    await handle.close();
    throw new ObjectNotFoundError(key);
  }
  return handle;
}

async function streamRange(file: FileHandle, range: ByteRange): Promise<Readable> {
  try {
    assertRange(range);
    if (range.end > range.start)
      return file.createReadStream({ start: range.start, end: range.end - 1, highWaterMark: READ_BYTES });
    await file.close();
    return Readable.from([]);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readRange(file: FileHandle, range: ByteRange): Promise<Buffer> {
  assertRange(range);
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(range.end, size) - range.start));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, range.start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function describeOpen(file: FileHandle): Promise<ObjectInfo> {
  return describe(await file.stat({ bigint: true }));
}

/** Every write creates a new file, so the inode distinguishes writes that have the same timestamp. */
function describe(facts: BigIntStats): ObjectInfo {
  const parts = [facts.ino, facts.mtimeNs, facts.size];
  return { bytes: Number(facts.size), etag: parts.map((part) => part.toString(36)).join("-") };
}

/** Deletes a file and the folders that become empty, so that folders of old batches do not accumulate. */
async function deleteFile(file: string, root: string): Promise<void> {
  try {
    await unlink(file);
    for (let folder = path.dirname(file); folder !== root; folder = path.dirname(folder)) await rmdir(folder);
  } catch (error) {
    // EISDIR and EPERM: the path is a folder, not an object. ENOTEMPTY and EEXIST: the folder has other objects.
    if (!isCode(error, "ENOENT", "ENOTDIR", "EISDIR", "EPERM", "ENOTEMPTY", "EEXIST")) throw error;
  }
}

async function* listKeys(root: string, prefix: string): AsyncGenerator<string, void, undefined> {
  assertPrefix(prefix);
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  for await (const key of walk(root, folder)) if (key.startsWith(prefix)) yield key;
}

/** Walks the tree from the last folder of the prefix. */
async function* walk(root: string, folder: string): AsyncGenerator<string, void, undefined> {
  const entries = await opendir(path.join(root, folder)).catch(nullIfMissing);
  if (entries === null) return;
  for await (const entry of entries) {
    if (entry.isFile()) yield folder + entry.name;
    else if (entry.isDirectory() && entry.name !== WORK_FOLDER) yield* walk(root, `${folder}${entry.name}/`);
  }
}
