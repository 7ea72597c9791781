/**
 * Decompresses zstd with fzstd, a decoder in JavaScript, because Node has a decoder only from 22.15 on and we promise
 * 20.19. This file passes one frame at a time to fzstd, block by block, so that it can do what fzstd does not do:
 * refuse windows that are too large, and verify the checksum of each frame (ADR 0022).
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { errors } from "@nightshift/domain";
import { Decompress } from "fzstd";
import xxhash, { type XXHashAPI } from "xxhash-wasm";
import { type ByteReader, createByteReader } from "./byte-reader.ts";
import { BLOCK_HEADER_BYTES, headerRest, readBlockHeader, readFrameHeader } from "./zstd-header.ts";

/**
 * The maximum number of blocks. 512 MiB have 4,096 full blocks, and a stream that is flushed after each of 50,000 lines
 * has 50,000 blocks. More blocks would only cost time.
 */
const MAX_BLOCKS = 100_000;

/**
 * The maximum size of a window, which a decoder holds in memory. RFC 9659 requires encoders to stay within this size;
 * `zstd --ultra` and `--long` may exceed it.
 */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * fzstd allocates and zeroes a window for each frame, which takes up to 5 ms for 8 MiB. This is the limit for the
 * windows of all frames together, and allows 64 frames of 8 MiB: 0.3 s of work.
 */
const MAX_WINDOWS_BYTES = 512 * 1024 * 1024;

/** A frame counts as at least 8 KiB. That allows 65,536 frames, enough for one per line of a batch of 50,000 lines. */
const MIN_COUNTED_WINDOW_BYTES = 8 * 1024;

/**
 * A skippable frame counts as 64 KiB. That allows 8,192 skippable frames. Parallel compressors write one for each
 * frame.
 */
const SKIPPABLE_COUNTED_BYTES = 64 * 1024;

/** The maximum size of a block: RFC 8878 §3.1.1.2.4. */
const MAX_BLOCK_BYTES = 128 * 1024;

const MAGIC_BYTES = 4;
const MAGIC = 0xfd2fb528;
/** The magic number of a skippable frame (RFC 8878 §3.1.2). Its lower four bits can have any value. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const CHECKSUM_BYTES = 4;

let loading: Promise<XXHashAPI> | undefined;

/** Yields the decompressed bytes. Throws the same errors as `decompressed`. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = createByteReader(source);
  const count: Count = { blocks: 0, windowBytes: 0 };
  try {
    for (let frames = 0; ; frames += 1) {
      const magic = await reader.take(MAGIC_BYTES);
      if (magic.length === 0 && frames > 0) return;
      const number = magic.length === MAGIC_BYTES ? magic.readUInt32LE() : 0;
      if (number === MAGIC) yield* frame(reader, magic, count);
      else if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) await skip(reader, count);
      else
        throw damaged(
          frames === 0 ? "it does not begin with a zstd frame" : "the bytes after a frame are not a zstd frame",
        );
    }
  } finally {
    await reader.close();
  }
}

/** The decompression work of the stream so far. */
interface Count {
  blocks: number;
  windowBytes: number;
}

function countFrame(count: Count, windowBytes: number): void {
  count.windowBytes += Math.max(windowBytes, MIN_COUNTED_WINDOW_BYTES);
  if (count.windowBytes > MAX_WINDOWS_BYTES) throw damaged("it has too many frames");
}

async function skip(reader: ByteReader, count: Count): Promise<void> {
  countFrame(count, SKIPPABLE_COUNTED_BYTES);
  await nextTurn();
  const bytes = (await need(reader, 4)).readUInt32LE();
  let passed = 0;
  for await (const piece of reader.pass(bytes)) passed += piece.length;
  if (passed < bytes) throw cutShort();
}

async function* frame(reader: ByteReader, magic: Buffer, count: Count): AsyncGenerator<Uint8Array> {
  const descriptor = await need(reader, 1);
  const header = Buffer.concat([descriptor, await need(reader, headerRest(descriptor.readUInt8()))]);
  const { windowBytes, hasChecksum } = readFrameHeader(header);
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw damaged(`its window has ${String(windowBytes)} bytes, and the maximum is ${String(MAX_WINDOW_BYTES)}`);
  }
  countFrame(count, windowBytes);
  const hash = hasChecksum ? (await (loading ??= xxhash())).create64() : null;
  const decode = createDecoder();
  for await (const bytes of compressedBytes(reader, Buffer.concat([magic, header]), count)) {
    for (const made of decode(bytes, false)) {
      hash?.update(made);
      yield made;
    }
  }
  const checksum = await need(reader, hash === null ? 0 : CHECKSUM_BYTES);
  // fzstd holds back some output of a frame of a few bytes.
  for (const made of [...decode(checksum, false), ...decode(new Uint8Array(0), true)]) {
    hash?.update(made);
    yield made;
  }
  if (hash !== null && checksum.readUInt32LE() !== Number(hash.digest() & 0xffffffffn)) {
    throw damaged("the checksum of a frame does not match its content");
  }
}

/** Yields the frame's bytes from its beginning to the end of its last block, at most one block at a time. */
async function* compressedBytes(reader: ByteReader, header: Buffer, count: Count): AsyncGenerator<Uint8Array> {
  yield header;
  for (let isLast = false; !isLast;) {
    const blockHeader = await need(reader, BLOCK_HEADER_BYTES);
    const block = readBlockHeader(blockHeader);
    ({ isLast } = block);
    if (block.size > MAX_BLOCK_BYTES) throw damaged(`a block has more than ${String(MAX_BLOCK_BYTES)} bytes`);
    count.blocks += 1;
    if (count.blocks > MAX_BLOCKS) throw damaged(`it has more than ${String(MAX_BLOCKS)} blocks`);
    // A block or a new window can take milliseconds, so other requests get a turn of the event loop before each block.
    // Empty blocks count too: without these turns, one chunk of the upload could block the event loop for 20,000 of
    // them.
    await nextTurn();
    yield blockHeader;
    let left = block.bytes;
    for await (const piece of reader.pass(block.bytes)) {
      left -= piece.length;
      // fzstd keeps the bytes that it cannot use yet, and the source may reuse its memory, so each piece is copied.
      yield Uint8Array.from(piece);
    }
    if (left > 0) throw cutShort();
  }
}

/**
 * Returns a function that decompresses the bytes of one frame. It throws a RequestError with fzstd's message if the
 * frame is damaged.
 */
function createDecoder(): (bytes: Uint8Array, isLast: boolean) => Uint8Array[] {
  let made: Uint8Array[] = [];
  const decoder = new Decompress((data) => {
    if (data.length > 0) made.push(data);
  });
  return (bytes, isLast) => {
    made = [];
    try {
      decoder.push(bytes, isLast);
    } catch (error) {
      throw damaged(error instanceof Error ? error.message : String(error));
    }
    return made;
  };
}

async function need(reader: ByteReader, count: number): Promise<Buffer> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw cutShort();
  return bytes;
}

function cutShort(): Error {
  return damaged("it ends in the middle of a frame");
}

function damaged(reason: string): Error {
  return errors.damagedCompression("zstd", reason);
}
