/** Plans a multipart upload for a join: which bytes the server copies, and where in a part the other bytes go. */
import { byteLengthOf, cut, isPiece } from "./join-runs.ts";
import type { JoinSource, ObjectPiece } from "./object-store.ts";

export interface PartLimits {
  /** The smallest size of every part but the last, and the largest size of a gathered part. */
  readonly partBytes: number;
  /**
   * The largest part that the server copies: at least twice `partBytes`, so that a piece can be halved. 0 if the server
   * copies nothing.
   */
  readonly copyBytes: number;
  readonly parts: number;
}

const MIB = 1024 * 1024;

/**
 * The smallest part size and the maximum number of parts of S3, which allow at least 48.8 GiB. S3 can copy 5 GiB at
 * once. The limit here is lower because MinIO replies only after the copy: it copies 128 MiB within a request's timeout
 * on any disk, even with several copies at a time.
 */
export const S3_PARTS: PartLimits = { partBytes: 5 * MIB, copyBytes: 128 * MIB, parts: 10_000 };

/** Limits for servers that cannot copy into a part, or that need parts of equal size, such as Cloudflare R2. */
export const EVEN_PARTS: PartLimits = { ...S3_PARTS, copyBytes: 0 };

/** Places bytes at the offset `at` of a gathered part. The steps of a part follow one another. */
export interface GatherStep {
  readonly kind: "gather";
  readonly part: number;
  readonly at: number;
  readonly source: JoinSource;
}

/** A complete part that the server copies. */
export interface CopyStep {
  readonly kind: "copy";
  readonly part: number;
  readonly piece: ObjectPiece;
}

/** Yields the steps for the parts 1, 2, 3 … Keeps only the current run in memory. */
export async function* planParts(
  runs: AsyncIterable<JoinSource>,
  limits: PartLimits,
): AsyncGenerator<GatherStep | CopyStep, void, undefined> {
  let part = 0;
  /** The free bytes of the part that is being gathered. 0 means that no part is open. */
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
 * Returns how many bytes at the start of `run` this process gathers. A piece first fills the open part, which must
 * reach the smallest size. The server copies the remaining bytes if they exceed that size, because AWS refuses to copy
 * a smaller range.
 */
function bytesToGather(run: JoinSource, room: number, { partBytes, copyBytes }: PartLimits): number {
  const bytes = byteLengthOf(run);
  return isPiece(run) && copyBytes > 0 && bytes - room > partBytes ? room : bytes;
}

/**
 * Divides the bytes of `piece` from `start` into pieces of even size: as few as possible, each of at most `most` bytes.
 */
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
    `the object would have more than ${String(parts)} parts, the maximum; small pieces can be joined up to ${String(gib)} GiB`,
  );
}
