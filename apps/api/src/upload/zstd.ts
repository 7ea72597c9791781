/**
 * zstd by fzstd, a decoder in JavaScript: Node has one of its own from 22.15 on, and we promise 20.19. What it does not do is
 * check a frame's checksum: damage that leaves the blocks well-formed shows in the content only (ADR 0022).
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { errors } from "@nightshift/domain";
import { Decompress } from "fzstd";

/** A block takes 4 bytes and may stand for 128 KiB: of one piece come at most 8 MiB. */
const PIECE_BYTES = 256;

/** 512 MiB have 4,096 full blocks; a stream that is flushed after each of 50,000 lines has 50,000. More only cost time. */
const MAX_BLOCKS = 100_000;

/** Magic numbers of a frame, and of one to be skipped (RFC 8878 §3.1), of which the first byte may be 0x50 to 0x5f. */
const FRAME = [0x28, 0xb5, 0x2f, 0xfd];
const SKIPPABLE_TAIL = [0x2a, 0x4d, 0x18];

/** The decompressed bytes; throws as `decompressed` does. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = [];
  let blocks = 0;
  let head = Buffer.alloc(0);
  const decoder = new Decompress((data) => {
    blocks += 1;
    made.push(data);
  });
  const push = (bytes: Uint8Array, isLast: boolean): Uint8Array[] => {
    made = [];
    try {
      decoder.push(bytes, isLast);
    } catch (error) {
      throw errors.damagedCompression("zstd", error instanceof Error ? error.message : String(error));
    }
    if (blocks > MAX_BLOCKS) throw errors.damagedCompression("zstd", `it has more than ${String(MAX_BLOCKS)} blocks`);
    return made;
  };
  for await (const chunk of source) {
    if (head.length < FRAME.length) {
      head = Buffer.concat([head, chunk.subarray(0, FRAME.length - head.length)]);
      refuseOtherFormat(head);
    }
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      // A copy: the decoder keeps what it cannot use yet, and the source may use its memory again.
      const blocksMade = push(Uint8Array.from(chunk.subarray(at, at + PIECE_BYTES)), false);
      yield* blocksMade;
      // One piece may cost milliseconds: requests of others come in between.
      if (blocksMade.length > 0) await nextTurn();
    }
  }
  if (head.length < FRAME.length) throw errors.damagedCompression("zstd", "it has no zstd frame");
  yield* push(new Uint8Array(0), true);
}

function refuseOtherFormat(head: Buffer): void {
  const isFrame = FRAME.slice(0, head.length).every((byte, at) => head[at] === byte);
  const isSkippable =
    ((head[0] ?? 0) & 0xf0) === 0x50 &&
    SKIPPABLE_TAIL.slice(0, head.length - 1).every((byte, at) => head[at + 1] === byte);
  if (!isFrame && !isSkippable) throw errors.damagedCompression("zstd", "it does not begin with a zstd frame");
}
