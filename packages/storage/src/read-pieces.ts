/**
 * Reads pieces of objects. Adjacent pieces share one range request, and requests start before their bytes are needed.
 */
import type { ObjectPiece, ObjectStore } from "./object-store.ts";

interface Run<P extends ObjectPiece> {
  readonly key: string;
  readonly start: number;
  end: number;
  readonly pieces: P[];
}

/** The maximum number of bytes of one range request. A single piece may be longer. */
const RUN_BYTES = 1 * 1024 * 1024;
/** Limits on requests and bytes in flight. Most segments are small, so latency matters, but some are large. */
const AHEAD = 16;
const AHEAD_BYTES = 4 * 1024 * 1024;

/** Yields the pieces in order, each with its bytes. */
export async function* readPieces<P extends ObjectPiece>(
  objects: Pick<ObjectStore, "read">,
  pieces: readonly P[],
): AsyncGenerator<{ piece: P; bytes: Buffer }> {
  const runs = toRuns(pieces);
  const underWay: { run: Run<P>; bytes: Promise<Buffer> }[] = [];
  let next = 0;
  let bytesAhead = 0;
  const mayRead = (): boolean => underWay.length === 0 || (underWay.length < AHEAD && bytesAhead < AHEAD_BYTES);
  const readAhead = (): void => {
    for (let run = runs[next]; run !== undefined && mayRead(); run = runs[next]) {
      next += 1;
      bytesAhead += run.end - run.start;
      const bytes = objects.read(run.key, { start: run.start, end: run.end });
      // The rejection surfaces when the run is awaited. Before that, it must not count as unhandled.
      bytes.catch(() => undefined);
      underWay.push({ run, bytes });
    }
  };
  readAhead();
  for (let current = underWay.shift(); current !== undefined; current = underWay.shift()) {
    const bytes = await current.bytes;
    bytesAhead -= current.run.end - current.run.start;
    readAhead();
    for (const piece of current.run.pieces) {
      const from = piece.offset - current.run.start;
      yield { piece, bytes: bytes.subarray(from, from + piece.length) };
    }
  }
}

function toRuns<P extends ObjectPiece>(pieces: readonly P[]): Run<P>[] {
  const runs: Run<P>[] = [];
  for (const piece of pieces) {
    const last = runs.at(-1);
    const end = piece.offset + piece.length;
    if (last?.key === piece.key && last.end === piece.offset && end - last.start <= RUN_BYTES) {
      last.end = end;
      last.pieces.push(piece);
    } else {
      runs.push({ key: piece.key, start: piece.offset, end, pieces: [piece] });
    }
  }
  return runs;
}
