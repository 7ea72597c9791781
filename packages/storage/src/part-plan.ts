/** Plans a multipart upload out of the sources of a join: which bytes the server copies, and where in a part the others go. */
import { byteLengthOf, cut, isPiece } from "./join-runs.ts";
import type { JoinSource, ObjectPiece } from "./object-store.ts";

export interface PartLimits {
  /** No part but the last may be smaller, and parts that are gathered are no larger. */
  readonly partBytes: number;
  /** No part that the server copies is larger. At least twice `partBytes`, so that a piece can be halved; 0: it copies none. */
  readonly copyBytes: number;
  readonly parts: number;
}

const MIB = 1024 * 1024;

/**
 * S3's own smallest part and most parts: 48.8 GiB at least. It would copy 5 GiB at once; MinIO answers only when it has
 * copied, and 128 MiB it can copy within a request's time-out on any disk, several beside each other.
 */
export const S3_PARTS: PartLimits = { partBytes: 5 * MIB, copyBytes: 128 * MIB, parts: 10_000 };

/** For servers that cannot copy into a part, or want all parts but the last equally long, as Cloudflare R2 does. */
export const EVEN_PARTS: PartLimits = { ...S3_PARTS, copyBytes: 0 };

/** Bytes of a part that is gathered: they lie `at` in it. All steps of a part come one after the other. */
export interface GatherStep {
  readonly kind: "gather";
  readonly part: number;
  readonly at: number;
  readonly source: JoinSource;
}

/** A whole part that the server copies. */
export interface CopyStep {
  readonly kind: "copy";
  readonly part: number;
  readonly piece: ObjectPiece;
}

/** The steps that make the parts 1, 2, 3 …; nothing but the current run is kept. */
export async function* planParts(
  runs: AsyncIterable<JoinSource>,
  limits: PartLimits,
): AsyncGenerator<GatherStep | CopyStep, void, undefined> {
  let part = 0;
  /** What the part being gathered still takes; none is open at 0. */
  let room = 0;
  const openPart = (): void => {
    if (part === limits.parts) throw tooManyParts(limits);
    part += 1;
  };

  for await (const run of runs) {
    const bytes = byteLengthOf(run);
    const head = bytesToGather(run, room, limits);
    for (let done = 0; done < head;) {
      if (room === 0) {
        openPart();
        room = limits.partBytes;
      }
      const end = Math.min(head, done + room);
      yield { kind: "gather", part, at: limits.partBytes - room, source: cut(run, done, end) };
      room -= end - done;
      done = end;
    }
    if (!isPiece(run) || head === bytes) continue;
    for (const piece of halve(run, head, limits.copyBytes)) {
      openPart();
      yield { kind: "copy", part, piece };
    }
  }
}

/**
 * How much of the head of `run` goes through us. A piece first fills the part that is open, which may not stay under the
 * least; the server copies the rest if it is larger than that: AWS copies no range of an object that is not.
 */
function bytesToGather(run: JoinSource, room: number, { partBytes, copyBytes }: PartLimits): number {
  const bytes = byteLengthOf(run);
  return isPiece(run) && copyBytes > 0 && bytes - room > partBytes ? room : bytes;
}

/** What follows `start` in `piece`, in as few and as even pieces as `most` allows. */
function* halve(piece: ObjectPiece, start: number, most: number): Generator<ObjectPiece, void, undefined> {
  const bytes = piece.length - start;
  const count = Math.ceil(bytes / most);
  for (let index = 0; index < count; index += 1) {
    const from = Math.floor((bytes * index) / count);
    const to = Math.floor((bytes * (index + 1)) / count);
    yield { key: piece.key, offset: piece.offset + start + from, length: to - from };
  }
}

function tooManyParts({ parts, partBytes }: PartLimits): RangeError {
  const gib = Math.floor((parts * partBytes) / (1024 * MIB));
  return new RangeError(
    `the object would have more than ${String(parts)} parts, the most there are: of small pieces no more than ${String(gib)} GiB can be joined`,
  );
}
