/** The sources of a join, made ready for both stores: checked, neighbours as one piece, what is empty left out. */
import { assertKey, assertRange } from "./key.ts";
import type { JoinSource, ObjectPiece } from "./object-store.ts";
import { untilAborted } from "./until-aborted.ts";

/**
 * The sources in their order, until `signal` aborts. Pieces that follow each other in one object become one, however long:
 * a request or a file costs the same for any length. Bytes in memory are delivered before the next source is asked for.
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

/** True for bytes that are stored, false for bytes in memory. */
export function isPiece(source: JoinSource): source is ObjectPiece {
  return !(source instanceof Uint8Array);
}

export function byteLengthOf(source: JoinSource): number {
  return isPiece(source) ? source.length : source.byteLength;
}

/** The bytes of `source` from `start` up to but not including `end`, both counted within it. */
export function cut(source: JoinSource, start: number, end: number): JoinSource {
  return isPiece(source)
    ? { key: source.key, offset: source.offset + start, length: end - start }
    : source.subarray(start, end);
}

/** What both stores say of a piece that its object is too short for. */
export function beyondTheEnd({ key, offset, length }: ObjectPiece, options?: ErrorOptions): RangeError {
  return new RangeError(`the object ${key} ends before byte ${String(offset + length)}, where its piece does`, options);
}

function assertPiece({ key, offset, length }: ObjectPiece): void {
  assertKey(key);
  assertRange({ start: offset, end: offset + length });
}

/** Both as one where the second follows the first in the same object, null otherwise. */
function joined({ key, offset, length }: ObjectPiece, next: ObjectPiece): ObjectPiece | null {
  return key === next.key && offset + length === next.offset ? { key, offset, length: length + next.length } : null;
}
