/** Reads the endpoint from a file of requests before the upload. */
import { createReadStream } from "node:fs";
import { StartupError } from "@nightshift/service";

/** The endpoint for a file whose first line does not name one. */
const DEFAULT_ENDPOINT = "/v1/chat/completions";

/** A longer first line is not parsed here; the server checks it. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 0x0a;
const FORMAT_HINT = "Each line must be one request, a whole JSON object.";

interface Line {
  /** The number of the line, counted from 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * Resolves with the `url` of the first line that is not blank. Rejects with StartupError if the file has no such line
 * or the line is not JSON, because servers refuse such a file without a reason. They report other faults by line
 * number.
 */
export async function endpointOf(file: string): Promise<string> {
  const line = await firstLine(file);
  if (line === null) throw new StartupError(`${file} is empty. ${FORMAT_HINT}`);
  if (line.bytes.length > MAX_LINE_BYTES) return DEFAULT_ENDPOINT;
  const request = parse(file, line);
  const { url } = (request ?? {}) as { url?: unknown };
  return typeof url === "string" ? url : DEFAULT_ENDPOINT;
}

function parse(file: string, { number, bytes }: Line): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`${file}, line ${String(number)} is not valid JSON: ${reason}. ${FORMAT_HINT}`, {
      cause: error,
    });
  }
}

/**
 * Returns the first line that is not blank, or its beginning if it is too long. Returns null if every line is blank.
 */
async function firstLine(file: string): Promise<Line | null> {
  let number = 1;
  let bytes: Buffer = Buffer.alloc(0);
  // Does not use readline, which also splits lines at U+2028 and U+2029. JSON strings may contain them.
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      const line = bytes.subarray(0, end);
      if (!isBlank(line)) return { number, bytes: line };
      bytes = bytes.subarray(end + 1);
      number += 1;
    }
    if (bytes.length > MAX_LINE_BYTES) break;
  }
  return isBlank(bytes) ? null : { number, bytes };
}

function isBlank(line: Buffer): boolean {
  return line.toString("utf8").trim() === "";
}
