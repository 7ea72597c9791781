/** Copies pieces of files and bytes in memory into one file, through one buffer. */
import type { FileHandle } from "node:fs/promises";
import { beyondTheEnd, byteLengthOf, isPiece, toRuns } from "./join-runs.ts";
import type { JoinSource } from "./object-store.ts";

/** The buffer of a copy. With 64 KiB, a copy takes several times as long, because each read and write is a promise. */
const BUFFER_BYTES = 512 * 1024;

/** Appends the sources to `file`; `open` opens the object of a key for reading. */
export async function copySources(
  file: FileHandle,
  sources: Iterable<JoinSource> | AsyncIterable<JoinSource>,
  open: (key: string) => Promise<FileHandle>,
  signal?: AbortSignal,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let filled = 0;
  let opened: { readonly key: string; readonly file: FileHandle } | null = null;

  /** Keeps the file open until a piece of another object follows. */
  async function fileOf(key: string): Promise<FileHandle> {
    if (opened?.key === key) return opened.file;
    await opened?.file.close();
    opened = null;
    opened = { key, file: await open(key) };
    return opened.file;
  }

  /** Copies bytes of `run` from `start` into the free part of the buffer, and returns their number. */
  async function take(run: JoinSource, start: number): Promise<number> {
    const length = Math.min(byteLengthOf(run) - start, buffer.length - filled);
    if (!isPiece(run)) {
      buffer.set(run.subarray(start, start + length), filled);
      return length;
    }
    const source = await fileOf(run.key);
    const { bytesRead } = await source.read(buffer, filled, length, run.offset + start);
    if (bytesRead === 0) throw beyondTheEnd(run);
    return bytesRead;
  }

  async function flush(): Promise<void> {
    await file.writeFile(buffer.subarray(0, filled));
    filled = 0;
  }

  try {
    for await (const run of toRuns(sources, signal)) {
      for (let done = 0; done < byteLengthOf(run);) {
        signal?.throwIfAborted();
        if (filled === buffer.length) await flush();
        const bytes = await take(run, done);
        filled += bytes;
        done += bytes;
      }
    }
    await flush();
  } finally {
    await (opened as { readonly file: FileHandle } | null)?.file.close();
  }
}
