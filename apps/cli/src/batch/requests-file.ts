/** A look into a file of requests before it is uploaded. */
import { createReadStream } from "node:fs";
import { StartupError } from "@nightshift/service";

/** What a batch is for when its file does not say. */
const DEFAULT_ENDPOINT = "/v1/chat/completions";

/** A longer first line is not looked into: what becomes of it is the server's to say. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 0x0a;
const ONE_A_LINE = "Each line of it is one request, a whole JSON object.";

interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * The `url` of the first line that is not blank. Rejects with StartupError where that line is no JSON or there is none:
 * servers refuse such a file without saying why. What else is wrong with it they say themselves, by line number.
 */
export async function endpointOf(file: string): Promise<string> {
  const line = await firstLine(file);
  if (line === null) throw new StartupError(`${file} is empty. ${ONE_A_LINE}`);
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
    throw new StartupError(`${file}, line ${String(number)} is no JSON: ${reason}. ${ONE_A_LINE}`, { cause: error });
  }
}

/** The first line that is not blank, or its beginning where it is too long; null where there is none. */
async function firstLine(file: string): Promise<Line | null> {
  let number = 1;
  let bytes: Buffer = Buffer.alloc(0);
  // Not by readline, which also ends lines at characters that may stand inside a JSON string.
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
