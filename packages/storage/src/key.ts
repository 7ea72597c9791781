/** Validates keys and ranges in the same way for every store, so that a key that works in one store works in all. */
import type { ByteRange } from "./object-store.ts";

const SEGMENT = /^[A-Za-z0-9._-]{1,255}$/;
const MAX_KEY_LENGTH = 1_024;

/** Throws unless `key` consists of valid segments separated by `/`. The segments `.` and `..` are not valid. */
export function assertKey(key: string): void {
  if (key.length > MAX_KEY_LENGTH || !key.split("/").every(isSegment)) {
    throw new Error(`${JSON.stringify(key)} is not a valid key of an object`);
  }
}

/** Throws unless `prefix` is empty or the start of a valid key. */
export function assertPrefix(prefix: string): void {
  const segments = prefix.split("/");
  const last = segments.pop() ?? "";
  const isPrefix = segments.every(isSegment) && (last === "" || SEGMENT.test(last));
  if (prefix.length > MAX_KEY_LENGTH || !isPrefix)
    throw new Error(`${JSON.stringify(prefix)} is not a valid prefix of a key`);
}

/** Throws unless `range` has non-negative integers and does not end before it starts. */
export function assertRange({ start, end }: ByteRange): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`${String(start)} to ${String(end)} is not a valid range of bytes`);
  }
}

function isSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment !== "." && segment !== "..";
}
