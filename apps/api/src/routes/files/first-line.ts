/** Looks at the beginning of a batch's input while it streams by: is its first line JSON? */

/** A longer first line is judged by its first byte alone: uploads must not hold whole lines of 32 MiB in memory. */
const MAX_PARSED_BYTES = 1024 * 1024;

const LINE_FEED = 0x0a;

/** White space, and the three bytes of a byte order mark: none of them can begin a line of JSON. */
const SKIPPED: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, LINE_FEED, 0xef, 0xbb, 0xbf]);

export type FirstLineVerdict = "undecided" | "json" | "not_json";

export interface FirstLine {
  /** Takes the next bytes of the file; after a verdict they are no longer looked at. */
  push(chunk: Uint8Array): FirstLineVerdict;
  /** The file is over. Blank lines alone are not JSON. */
  end(): FirstLineVerdict;
}

/**
 * Judges the first line that is not blank: contract §1.1 has a file refused at once for that line, and for a later one
 * only by validation. Any JSON will do, and a byte order mark is passed over: what a line must be is validation's to say.
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
    // Not UTF-8 or not JSON: the verdict is all that is asked for.
    return "not_json";
  }
}

function beginsLikeJson(line: Buffer): boolean {
  return /^[{["\d\-tfn]/.test(line.toString("latin1", 0, 1));
}
