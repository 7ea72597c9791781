/** Builds zstd frames by hand (RFC 8878 §3.1.1), without an encoder, so that a test can make any fault. */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** The rest of the frame header: no checksum, no content size, a window of 1 MiB. */
const HEADER = [0x00, 0x50];

const RAW = 0;
const RLE = 1;
const MAX_BLOCK = 128 * 1024;

function block(type: number, size: number, isLast: boolean, content: Uint8Array): Buffer {
  const head = Buffer.alloc(3);
  head.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
  return Buffer.concat([head, content]);
}

/** Returns a frame with the bytes uncompressed, in blocks of at most 128 KiB. */
export function rawFrame(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MAX_BLOCK) {
    const content = bytes.subarray(at, at + MAX_BLOCK);
    blocks.push(block(RAW, content.length, at + MAX_BLOCK >= bytes.length, content));
  }
  return Buffer.concat([Buffer.from([...MAGIC, ...HEADER]), ...blocks]);
}

/** Returns a frame with `start`, followed by 128 KiB of spaces for each of `blocks` blocks of four bytes. */
export function bomb(start: string, blocks: number): Buffer {
  const spaces = Array.from({ length: blocks }, (_, at) =>
    block(RLE, MAX_BLOCK, at === blocks - 1, Buffer.from([0x20])),
  );
  const first = Buffer.from(start);
  return Buffer.concat([Buffer.from([...MAGIC, ...HEADER]), block(RAW, first.length, false, first), ...spaces]);
}

/** Returns a frame that decoders skip: RFC 8878 §3.1.2. */
export function skippableFrame(): Buffer {
  return Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
}

/**
 * A frame from the reference encoder (level 19): 20 lines, 1,330 bytes, with compressed blocks and an entropy table.
 */
export const REFERENCE_FRAME = Buffer.from(
  "KLUv/WAyBLUDAFLFExhwywOQCMe+FdIYh4b+//AqOsoaUtW/pgjwucaWSgjB5xpbKiHgefzrRLq5v3zX2Vhey/RTAvcf2aNnJanTneiNtIUHLnh0OQdqM1YMdwIUqBD4" +
    "+v8bwHOtARD+Rvj/b/QB+P//vxuEgMma3W72IYTibhk=",
  "base64",
);

/** The content of REFERENCE_FRAME. */
export const REFERENCE_TEXT = Array.from(
  { length: 20 },
  (_, i) => `${JSON.stringify({ custom_id: String(i), body: { input: "the same words in every line" } })}\n`,
).join("");

/**
 * Returns a frame with the given header (its descriptor, and its window or content size), one raw block and, if given,
 * a checksum.
 */
export function frameWith(header: readonly number[], content: Buffer, checksum: readonly number[] = []): Buffer {
  return Buffer.concat([
    Buffer.from([...MAGIC, ...header]),
    block(RAW, content.length, true, content),
    Buffer.from(checksum),
  ]);
}

/** A frame from the reference encoder. Its last four bytes are the checksum of its content. */
export const CHECKED_FRAME = Buffer.from(
  "KLUv/WQABE0BAAQCeyJjdXN0b21faWQiOiIxIiwibiI6Imdyw7bDn2UifQoBAOhm/OoJHw37Bw==",
  "base64",
);

/** The content of CHECKED_FRAME. */
export const CHECKED_TEXT = '{"custom_id":"1","n":"größe"}\n'.repeat(40);
