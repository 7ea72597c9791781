/**
 * A validating scanner over the bytes of a JSON text. It tells where the members of an object lie, so that they can be
 * sent and stored as they were written: `JSON.parse` would round long numbers, merge duplicate keys and lose the spacing.
 */

/** A member of an object: its key, unescaped, and the span of its value in the scanned bytes (`end` exclusive). */
export interface Member {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
const LOWER_U = 0x75;

/** Characters that may follow a backslash (RFC 8259 §7), `u` aside: " \ / b f n r t */
const ESCAPES = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);
const LITERALS = new Map([
  [0x74, Buffer.from("true")],
  [0x66, Buffer.from("false")],
  [0x6e, Buffer.from("null")],
]);

/**
 * The members of the object that the bytes from `start` to `end` are, in the order of the text, duplicates included. Null
 * where these bytes are not one JSON object (RFC 8259), white space around it allowed. UTF-8 is not checked here.
 */
export function scanObject(bytes: Buffer, start = 0, end = bytes.length): Member[] | null {
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== OPEN_BRACE) return null;
  const members: Member[] = [];
  at = skipSpace(bytes, at + 1, end);
  if (bytes[at] === CLOSE_BRACE) return skipSpace(bytes, at + 1, end) === end ? members : null;
  for (;;) {
    const keyEnd = at < end ? skipString(bytes, at, end) : -1;
    if (keyEnd < 0) return null;
    const key = readString(bytes, at, keyEnd);
    at = skipSpace(bytes, keyEnd, end);
    if (at >= end || bytes[at] !== COLON) return null;
    const valueStart = skipSpace(bytes, at + 1, end);
    const valueEnd = skipValue(bytes, valueStart, end);
    if (valueEnd < 0) return null;
    members.push({ key, start: valueStart, end: valueEnd });
    at = skipSpace(bytes, valueEnd, end);
    if (at >= end) return null;
    if (bytes[at] === CLOSE_BRACE) return skipSpace(bytes, at + 1, end) === end ? members : null;
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1, end);
  }
}

/** True where the bytes are exactly one JSON value, white space around it allowed. UTF-8 is not checked here. */
export function isJson(bytes: Buffer, start = 0, end = bytes.length): boolean {
  const valueEnd = skipValue(bytes, skipSpace(bytes, start, end), end);
  return valueEnd >= 0 && skipSpace(bytes, valueEnd, end) === end;
}

/** The last member of that name: the one that `JSON.parse` and most upstreams would take. */
export function lastMember(members: readonly Member[], key: string): Member | undefined {
  return members.findLast((member) => member.key === key);
}

function skipSpace(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const c = bytes[at];
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    at += 1;
  }
  return at;
}

/** The end of the value that begins at `from`, or -1. Containers are kept on a stack of ours: nesting may be deep. */
function skipValue(bytes: Buffer, from: number, end: number): number {
  const closers: number[] = [];
  let at = from;
  for (;;) {
    if (at >= end) return -1;
    const c = bytes[at];
    if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      const closer = c === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
      const inside = skipSpace(bytes, at + 1, end);
      if (inside < end && bytes[inside] === closer) {
        at = inside + 1;
      } else {
        closers.push(closer);
        at = closer === CLOSE_BRACE ? skipKey(bytes, inside, end) : inside;
        if (at < 0) return -1;
        continue;
      }
    } else {
      at = skipScalar(bytes, at, end);
      if (at < 0) return -1;
    }
    // A value has ended: close what ends here, up to the next one's beginning.
    for (;;) {
      const closer = closers.at(-1);
      if (closer === undefined) return at;
      at = skipSpace(bytes, at, end);
      if (at >= end) return -1;
      if (bytes[at] === closer) {
        closers.pop();
        at += 1;
        continue;
      }
      if (bytes[at] !== COMMA) return -1;
      at = skipSpace(bytes, at + 1, end);
      if (closer === CLOSE_BRACE) at = skipKey(bytes, at, end);
      break;
    }
    if (at < 0) return -1;
  }
}

/** From a key's quote to the beginning of its value, or -1. */
function skipKey(bytes: Buffer, from: number, end: number): number {
  const keyEnd = skipString(bytes, from, end);
  if (keyEnd < 0) return -1;
  const colon = skipSpace(bytes, keyEnd, end);
  if (colon >= end || bytes[colon] !== COLON) return -1;
  return skipSpace(bytes, colon + 1, end);
}

function skipScalar(bytes: Buffer, from: number, end: number): number {
  const c = bytes[from] ?? 0;
  if (c === QUOTE) return skipString(bytes, from, end);
  if (c === MINUS || (c >= ZERO && c <= NINE)) return skipNumber(bytes, from, end);
  const literal = LITERALS.get(c);
  if (literal === undefined || from + literal.length > end) return -1;
  return bytes.compare(literal, 0, literal.length, from, from + literal.length) === 0 ? from + literal.length : -1;
}

function skipString(bytes: Buffer, from: number, end: number): number {
  if (from >= end || bytes[from] !== QUOTE) return -1;
  let at = from + 1;
  while (at < end) {
    const c = bytes[at] ?? 0;
    if (c === QUOTE) return at + 1;
    if (c < 0x20) return -1;
    if (c === BACKSLASH) {
      const escape = bytes[at + 1] ?? 0;
      if (escape === LOWER_U) {
        if (at + 6 > end || !isHex4(bytes, at + 2)) return -1;
        at += 6;
      } else {
        if (!ESCAPES.has(escape)) return -1;
        at += 2;
      }
    } else {
      at += 1;
    }
  }
  return -1;
}

function isHex4(bytes: Buffer, from: number): boolean {
  for (let at = from; at < from + 4; at += 1) {
    const c = (bytes[at] ?? 0) | 0x20;
    const isDigit = c >= ZERO && c <= NINE && (bytes[at] ?? 0) >= ZERO;
    if (!isDigit && !(c >= 0x61 && c <= 0x66)) return false;
  }
  return true;
}

function skipDigits(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const c = bytes[at] ?? 0;
    if (c < ZERO || c > NINE) break;
    at += 1;
  }
  return at;
}

function skipNumber(bytes: Buffer, from: number, end: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const whole = skipDigits(bytes, at, end);
  if (whole === at || (bytes[at] === ZERO && whole > at + 1)) return -1;
  at = whole;
  if (at < end && bytes[at] === DOT) {
    const fraction = skipDigits(bytes, at + 1, end);
    if (fraction === at + 1) return -1;
    at = fraction;
  }
  if (at < end && ((bytes[at] ?? 0) | 0x20) === LOWER_E) {
    const sign = bytes[at + 1];
    const digits = at + 1 < end && (sign === PLUS || sign === MINUS) ? at + 2 : at + 1;
    const exponent = skipDigits(bytes, digits, end);
    if (exponent === digits) return -1;
    at = exponent;
  }
  return at;
}

/** The text of the JSON string between its quotes; the slow way only where it has escapes. */
function readString(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.subarray(start + 1, end - 1);
  if (!raw.includes(BACKSLASH)) return raw.toString("utf8");
  return JSON.parse(bytes.toString("utf8", start, end)) as string;
}
