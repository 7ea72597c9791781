/** Builds the lines of output and error files from a request's outcome: contract §4.3 and §4.4. */

/** The file of the batch to which a result line belongs. */
export type ResultKind = "output" | "error";

/**
 * The codes of a line that never got an HTTP reply. The last is Nightshift's, and all others are OpenAI's: contract
 * §4.4.
 */
export const LINE_ERROR_CODES = ["batch_expired", "batch_cancelled", "request_timeout", "upstream_error"] as const;
export type LineErrorCode = (typeof LINE_ERROR_CODES)[number];

export interface LineError {
  readonly code: LineErrorCode;
  readonly message: string;
}

/** Errors of lines that were unfinished when their batch ended. The first is OpenAI's: contract §4.4. */
export const UNFINISHED: Readonly<Record<"expired" | "cancelled", LineError>> = {
  expired: {
    code: "batch_expired",
    message: "This request could not be executed before the completion window expired.",
  },
  cancelled: { code: "batch_cancelled", message: "This request was not executed because the batch was cancelled." },
};

const ANSWER_END = Buffer.from(`}, "error": null}\n`);

/** A result line in pieces, so that its body (33 KB for an embedding) is copied only once, into the segment. */
export interface ResultLine {
  readonly pieces: readonly Buffer[];
  /** The length of all pieces in bytes, including the line break at the end. */
  readonly length: number;
}

function toLine(pieces: readonly Buffer[]): ResultLine {
  return { pieces, length: pieces.reduce((sum, piece) => sum + piece.length, 0) };
}

/**
 * Builds the line of a request with an HTTP reply of any status. `customId` and `body` are JSON texts that keep their
 * bytes, except for line breaks between the body's tokens, because the file has one line for each request. The format
 * must not change, because resultCustomId reads it.
 */
export function answeredLine(
  id: string,
  customId: Buffer,
  reply: { status: number; requestId: string; body: Buffer },
): ResultLine {
  const head = `{"id": "${id}", "custom_id": `;
  const response = `, "response": {"status_code": ${String(reply.status)}, "request_id": ${JSON.stringify(reply.requestId)}, "body": `;
  return toLine([Buffer.from(head), customId, Buffer.from(response), withoutLineBreaks(reply.body), ANSWER_END]);
}

const CUSTOM_ID = Buffer.from(`", "custom_id": `);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Returns the custom_id of a line that this file built, as the JSON text of the input. Throws for any other line. */
export function resultCustomId(line: Buffer): string {
  const before = line.indexOf(CUSTOM_ID);
  const start = before + CUSTOM_ID.length;
  if (before < 0 || line[start] !== QUOTE) throw new Error("not a line of a result file");
  let end = start + 1;
  while (end < line.length && line[end] !== QUOTE) end += line[end] === BACKSLASH ? 2 : 1;
  return line.toString("utf8", start, end + 1);
}

/** Builds the line of a request that never got an HTTP reply. */
export function unansweredLine(id: string, customId: Buffer, error: LineError): ResultLine {
  const tail = `, "response": null, "error": ${JSON.stringify({ code: error.code, message: error.message })}}\n`;
  return toLine([Buffer.from(`{"id": "${id}", "custom_id": `), customId, Buffer.from(tail)]);
}

/** The maximum number of characters to quote from a body that is not JSON. A proxy's error page can be long. */
const MAX_QUOTED = 4_000;

/** Replaces a body that is not JSON by an error object that quotes it, so that the result line stays valid JSON. */
export function quotedBody(body: Buffer): Buffer {
  const text = body.toString("utf8", 0, MAX_QUOTED * 4).slice(0, MAX_QUOTED);
  const message = text === "" ? "The upstream's reply had no body." : text;
  return Buffer.from(JSON.stringify({ error: { message, type: "upstream_error", param: null, code: null } }));
}

/** Valid JSON has raw line breaks only between tokens (RFC 8259 §7), and no two tokens need one as a separator. */
function withoutLineBreaks(body: Buffer): Buffer {
  if (!body.includes(0x0a) && !body.includes(0x0d)) return body;
  return Buffer.from(body.filter((byte) => byte !== 0x0a && byte !== 0x0d));
}
