/** Reads an object line by line, in bounded memory. */
import { createLineSplitter, type RawLine } from "@nightshift/domain";
import type { ObjectStore } from "./object-store.ts";

/**
 * Reads the object under `key`, and yields one array for each chunk: the lines that end in that chunk, in order. A
 * promise for each line would cost more than the work on the line itself. Lines longer than `maxLineBytes` are yielded
 * without their bytes, and blank lines are skipped.
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
