/** Checks a file for a batch during its upload: contract §1.1 and §5.2. Validation checks everything else. */
import path from "node:path";
import { errors } from "@nightshift/domain";

/** A longer first line is judged by its first byte alone: an upload must not hold a line of 32 MiB in memory. */
const MAX_PARSED_BYTES = 1024 * 1024;

const LINE_FEED = 0x0a;

/** White space and the three bytes of a byte order mark. No line of JSON begins with one of them. */
const SKIPPED: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, LINE_FEED, 0xef, 0xbb, 0xbf]);

/**
 * Throws if the name has an extension other than `.jsonl`, which the contract refuses regardless of the content. A name
 * without an extension is accepted: Python's SDK sends `upload` for raw bytes, and OpenAI was recorded to accept it.
 */
export function refuseWrongExtension(filename: string): void {
  const extension = path.extname(filename).toLowerCase();
  if (extension !== "" && extension !== ".jsonl") throw errors.invalidFileFormat();
}

/** Throws if the first line is not JSON, or if the file has no line. */
export function refuseWrongFirstLine(verdict: FirstLineVerdict): void {
  if (verdict === "not_json") throw errors.invalidFileFormat();
}

export type FirstLineVerdict = "undecided" | "json" | "not_json";

export interface FirstLine {
  /** Takes the next bytes of the file. Once there is a verdict, it ignores them. */
  push(chunk: Uint8Array): FirstLineVerdict;
  /** Call it after the last byte. A file of blank lines is not JSON. */
  end(): FirstLineVerdict;
}

/**
 * Judges the first line that is not blank while the file streams through. Contract §1.1 refuses the upload for a fault
 * in this line, and leaves faults in later lines to validation. Any JSON passes, and a byte order mark is skipped,
 * because validation checks the content of each line.
 */
export function createFirstLine(): FirstLine {
  let verdict: FirstLineVerdict = "undecided";
  let line: Buffer = Buffer.alloc(0);

  return {
    push: (chunk) => {
      if (verdict !== "undecided") return verdict;
      line = withoutLeadingBlanks(Buffer.concat([line, chunk]));
      const end = line.indexOf(LINE_FEED);
      if (end >= 0) verdict = judge(line.subarray(0, end));
      else if (line.length > MAX_PARSED_BYTES) verdict = beginsLikeJson(line) ? "json" : "not_json";
      if (verdict !== "undecided") line = Buffer.alloc(0);
      return verdict;
    },
    end: () => {
      if (verdict === "undecided") verdict = judge(line);
      return verdict;
    },
  };
}

function withoutLeadingBlanks(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => !SKIPPED.has(byte));
  return first === -1 ? Buffer.alloc(0) : bytes.subarray(first);
}

function judge(line: Buffer): FirstLineVerdict {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
    return "json";
  } catch {
    // The caller does not need to know whether the UTF-8 or the JSON is wrong.
    return "not_json";
  }
}

function beginsLikeJson(line: Buffer): boolean {
  return /^[{["\d\-tfn]/.test(line.toString("latin1", 0, 1));
}
