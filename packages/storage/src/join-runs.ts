/** Prepares the sources of a join for both stores: checks them, merges adjacent pieces, and drops empty ones. */
import { assertKey, assertRange } from "./key.ts";
import type { JoinSource, ObjectPiece } from "./object-store.ts";
import { untilAborted } from "./until-aborted.ts";

/**
 * Yields the sources in order, until `signal` aborts. Adjacent pieces of an object become one piece of any length,
 * because the cost of a request or a file does not depend on the length. Yields bytes in memory before it asks for the
 * next source.
 */
export async function* toRuns(
  sources: Iterable<JoinSource> | AsyncIterable<JoinSource>,
  signal?: AbortSignal,
): AsyncGenerator<JoinSource, void, undefined> {
  let run: ObjectPiece | null = null;
  for await (const source of untilAborted(sources, signal)) {
    if (isPiece(source)) {
      assertPiece(source);
      if (source.length === 0) continue;
      const longer: ObjectPiece | null = run === null ? null : joined(run, source);
      if (run !== null && longer === null) yield run;
      run = longer ?? source;
    } else if (source.byteLength > 0) {
      if (run !== null) yield run;
      run = null;
      yield source;
    }
  }
  if (run !== null) yield run;
}

/** Reports whether a source is a piece of a stored object. Otherwise it is bytes in memory. */
export function isPiece(source: JoinSource): source is ObjectPiece {
  return !(source instanceof Uint8Array);
}

export function byteLengthOf(source: JoinSource): number {
  return isPiece(source) ? source.length : source.byteLength;
}

/** Returns the bytes of `source` from `start` up to but not including `end`. */
export function cut(source: JoinSource, start: number, end: number): JoinSource {
  return isPiece(source)
    ? { key: source.key, offset: source.offset + start, length: end - start }
    : source.subarray(start, end);
}

/** Returns the error of both stores for a piece that reaches beyond the end of its object. */
export function beyondTheEnd({ key, offset, length }: ObjectPiece, options?: ErrorOptions): RangeError {
  return new RangeError(
    `the object ${key} is shorter than the ${String(offset + length)} bytes that its piece needs`,
    options,
  );
}

function assertPiece({ key, offset, length }: ObjectPiece): void {
  assertKey(key);
  assertRange({ start: offset, end: offset + length });
}

/** Returns both pieces as one if they are adjacent in the same object, otherwise null. */
function joined({ key, offset, length }: ObjectPiece, next: ObjectPiece): ObjectPiece | null {
  return key === next.key && offset + length === next.offset ? { key, offset, length: length + next.length } : null;
}
