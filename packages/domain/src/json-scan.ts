/**
 * A validating scanner over the bytes of a JSON text. It finds where the members of an object are, so that they can be
 * sent and stored as written: `JSON.parse` would round long numbers, merge duplicate keys and lose the spacing. See
 * docs/adr/0002-byte-exact-json-scanner.md.
 */

/** A member of an object: its unescaped key and the span of its value in the scanned bytes (`end` is exclusive). */
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

/** Characters that may follow a backslash (RFC 8259 §7), except `u`: " \ / b f n r t */
const ESCAPES = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);
const LITERALS = new Map([
  [0x74, Buffer.from("true")],
  [0x66, Buffer.from("false")],
  [0x6e, Buffer.from("null")],
]);

/**
 * Returns the members of the JSON object between `start` and `end` in the order of the text, including duplicates.
 * Returns null if these bytes are not exactly one JSON object (RFC 8259) with optional white space. Does not check
 * UTF-8.
 */
export function scanObject(bytes: Buffer, start = 0, end = bytes.length): Member[] | null {
  const open = skipSpace(bytes, start, end);
  if (open >= end || bytes[open] !== OPEN_BRACE) return null;
  const members: Member[] = [];
  let at = skipSpace(bytes, open + 1, end);
  if (endsObject(bytes, at, end)) return members;
  for (;;) {
    const member = readMember(bytes, at, end);
    if (member === null) return null;
    members.push(member);
    at = skipSpace(bytes, member.end, end);
    if (at >= end || bytes[at] !== COMMA) return endsObject(bytes, at, end) ? members : null;
    at = skipSpace(bytes, at + 1, end);
  }
}

function readMember(bytes: Buffer, at: number, end: number): Member | null {
  const keyEnd = skipString(bytes, at, end);
  if (keyEnd < 0) return null;
  const valueStart = skipColon(bytes, keyEnd, end);
  if (valueStart < 0) return null;
  const valueEnd = skipValue(bytes, valueStart, end);
  return valueEnd < 0 ? null : { key: readString(bytes, at, keyEnd), start: valueStart, end: valueEnd };
}

/** Returns true if `at` is a closing brace that only white space follows. */
function endsObject(bytes: Buffer, at: number, end: number): boolean {
  return at < end && bytes[at] === CLOSE_BRACE && skipSpace(bytes, at + 1, end) === end;
}

/** Returns true if the bytes are exactly one JSON value with optional white space around it. Does not check UTF-8. */
export function isJson(bytes: Buffer, start = 0, end = bytes.length): boolean {
  const valueEnd = skipValue(bytes, skipSpace(bytes, start, end), end);
  return valueEnd >= 0 && skipSpace(bytes, valueEnd, end) === end;
}

/**
 * Returns the number of items of an array and the first byte of the first item, or null if the value is not an array.
 * The bytes must be valid JSON: nothing is checked here.
 */
export function scanArray(bytes: Buffer, start: number, end: number): { length: number; first: number } | null {
  if (bytes[start] !== OPEN_BRACKET) return null;
  let at = skipSpace(bytes, start + 1, end);
  const first = bytes[at] ?? 0;
  let length = 0;
  while (at >= 0 && at < end && bytes[at] !== CLOSE_BRACKET) {
    length += 1;
    at = skipSpace(bytes, skipValue(bytes, at, end), end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, end);
  }
  return { length, first };
}

/** Returns the last member with that key: the one that `JSON.parse` and most upstreams would use. */
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

/** Returns the end of the value that begins at `from`, or -1. Uses its own stack, because nesting may be deep. */
function skipValue(bytes: Buffer, from: number, end: number): number {
  const closers: number[] = [];
  let at = from;
  do {
    at = enterValue(bytes, at, end, closers);
    if (at >= 0) at = leaveValue(bytes, at, end, closers);
  } while (at >= 0 && closers.length > 0);
  return at;
}

/** Opens containers down to the first scalar or empty container, and returns where that value ends. */
function enterValue(bytes: Buffer, from: number, end: number, closers: number[]): number {
  let at = from;
  while (at >= 0 && at < end) {
    const c = bytes[at];
    if (c !== OPEN_BRACE && c !== OPEN_BRACKET) return skipScalar(bytes, at, end);
    const closer = c === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
    const inside = skipSpace(bytes, at + 1, end);
    if (inside < end && bytes[inside] === closer) return inside + 1;
    closers.push(closer);
    at = closer === CLOSE_BRACE ? skipKey(bytes, inside, end) : inside;
  }
  return -1;
}

/** Closes the containers that end after a value, and returns the start of the next value. */
function leaveValue(bytes: Buffer, from: number, end: number, closers: number[]): number {
  let at = from;
  for (let closer = closers.at(-1); closer !== undefined; closer = closers.at(-1)) {
    at = skipSpace(bytes, at, end);
    if (at >= end) return -1;
    if (bytes[at] === closer) {
      closers.pop();
      at += 1;
      continue;
    }
    if (bytes[at] !== COMMA) return -1;
    const next = skipSpace(bytes, at + 1, end);
    return closer === CLOSE_BRACE ? skipKey(bytes, next, end) : next;
  }
  return at;
}

/** Moves from a key's opening quote to the start of its value, or returns -1. */
function skipKey(bytes: Buffer, from: number, end: number): number {
  const keyEnd = skipString(bytes, from, end);
  return keyEnd < 0 ? -1 : skipColon(bytes, keyEnd, end);
}

/** Moves from the end of a key to the start of its value, or returns -1. */
function skipColon(bytes: Buffer, keyEnd: number, end: number): number {
  const colon = skipSpace(bytes, keyEnd, end);
  return colon < end && bytes[colon] === COLON ? skipSpace(bytes, colon + 1, end) : -1;
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
  while (at >= 0 && at < end) {
    const c = bytes[at] ?? 0;
    if (c === QUOTE) return at + 1;
    if (c < 0x20) return -1;
    at = c === BACKSLASH ? skipEscape(bytes, at, end) : at + 1;
  }
  return -1;
}

function skipEscape(bytes: Buffer, from: number, end: number): number {
  const escape = bytes[from + 1] ?? 0;
  if (escape !== LOWER_U) return ESCAPES.has(escape) ? from + 2 : -1;
  return from + 6 <= end && isHex4(bytes, from + 2) ? from + 6 : -1;
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
  const first = bytes[from] === MINUS ? from + 1 : from;
  const whole = skipDigits(bytes, first, end);
  if (whole === first || (bytes[first] === ZERO && whole > first + 1)) return -1;
  const fraction = whole < end && bytes[whole] === DOT ? skipSomeDigits(bytes, whole + 1, end) : whole;
  return fraction < 0 ? -1 : skipExponent(bytes, fraction, end);
}

function skipExponent(bytes: Buffer, from: number, end: number): number {
  if (from >= end || ((bytes[from] ?? 0) | 0x20) !== LOWER_E) return from;
  const sign = bytes[from + 1];
  return skipSomeDigits(bytes, sign === PLUS || sign === MINUS ? from + 2 : from + 1, end);
}

/** Moves past one or more digits, or returns -1. */
function skipSomeDigits(bytes: Buffer, from: number, end: number): number {
  const at = skipDigits(bytes, from, end);
  return at > from ? at : -1;
}

/** Matches ASCII without a backslash, in which each byte is one character. */
const PLAIN = /^[ -[\]-~]*$/;

/**
 * Returns the text of the JSON string between `start` and `end`, quotes included. Parses the string only if it is not
 * plain.
 */
export function readString(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("latin1", start + 1, end - 1);
  return PLAIN.test(text) ? text : (JSON.parse(bytes.toString("utf8", start, end)) as string);
}
