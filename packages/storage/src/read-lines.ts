/** Reads an object line by line, in bounded memory. */
import { createLineSplitter, type RawLine } from "@nightshift/domain";
import type { ObjectStore } from "./object-store.ts";

/**
 * Yields the lines of the object under `key` in order, as many at a time as one chunk of it completes: a promise for
 * each line would cost more than the line. A line over `maxLineBytes` comes without its bytes, and blank lines do not
 * come.
 */
export async function* readLines(
  objects: Pick<ObjectStore, "openRead">,
  key: string,
  maxLineBytes: number,
): AsyncGenerator<readonly RawLine[], void, undefined> {
  const splitter = createLineSplitter(maxLineBytes);
  for await (const chunk of await objects.openRead(key)) yield splitter.push(chunk as Buffer);
  yield splitter.end();
}
