/** Writes the output of the programs to log files of bounded size, and shows warnings and errors on the screen. */
import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const MAX_FILE_BYTES = 50 * 1024 * 1024;

/** Each message is shown at most once in this time, because every job reports an unavailable store. */
const REPEAT_MS = 10_000;

const MAX_ERROR_LINES = 30;

const SHOWN_LEVELS = ["warn", "error", "fatal"] as const;

export type ShownLevel = (typeof SHOWN_LEVELS)[number];

/** Shows a warning of a program. */
export type ShowWarning = (program: string, level: ShownLevel, message: string) => void;

export interface ProgramLog {
  /** Reads the output of a running program. */
  readonly follow: (output: { readonly stdout: Readable; readonly stderr: Readable }) => void;
  /** The last lines on stderr that were not log entries. They say why a program could not start. */
  readonly lastErrorLines: () => string;
  readonly close: () => void;
}

/** Starts a new file and renames the previous one to `<file>.1`. Does the same when the file grows beyond 50 MB. */
export function openProgramLog(file: string, show: ShowWarning): ProgramLog {
  const sink = openBoundedFile(file);
  const shownAt = new Map<string, number>();
  let errorLines: string[] = [];

  const showUnlessRepeated = ({ name, level, message }: LogEntry): void => {
    const now = performance.now();
    if (now - (shownAt.get(message) ?? -REPEAT_MS) < REPEAT_MS) return;
    if (shownAt.size > 100) shownAt.clear();
    shownAt.set(message, now);
    show(name, level, message);
  };
  const follow = (stream: Readable, onPlainLine: (line: string) => void): void => {
    createInterface({ input: stream }).on("line", (line) => {
      sink.write(`${line}\n`);
      const entry = parseEntry(line);
      if (entry === "no entry") onPlainLine(line);
      else if (entry !== "not shown") showUnlessRepeated(entry);
    });
  };
  return {
    follow: ({ stdout, stderr }) => {
      errorLines = [];
      follow(stdout, () => undefined);
      follow(stderr, (line) => {
        errorLines = [...errorLines, line].slice(-MAX_ERROR_LINES);
      });
    },
    lastErrorLines: () => errorLines.join("\n").trim(),
    close: sink.close,
  };
}

interface LogEntry {
  /** The program that wrote the entry: this one, or one that it started. */
  readonly name: string;
  readonly level: ShownLevel;
  readonly message: string;
}

/** Parses a line of our logger. */
function parseEntry(line: string): LogEntry | "not shown" | "no entry" {
  if (!line.startsWith("{")) return "no entry";
  try {
    const { name, level, msg, err } = JSON.parse(line) as Record<"name" | "level" | "msg" | "err", unknown>;
    const shown = SHOWN_LEVELS.find((name) => name === level);
    if (shown === undefined) return "not shown";
    return { name: String(name), level: shown, message: [String(msg), ...reasonOf(err)].join(": ") };
  } catch {
    // The line starts like JSON but is not.
    return "no entry";
  }
}

function reasonOf(err: unknown): string[] {
  const hasMessage = typeof err === "object" && err !== null && "message" in err;
  return hasMessage ? [String(err.message)] : [];
}

function openBoundedFile(file: string): { write: (text: string) => void; close: () => void } {
  const begin = (): number => {
    if (existsSync(file) && statSync(file).size > 0) renameSync(file, `${file}.1`);
    return openSync(file, "a", 0o600);
  };
  let descriptor: number | null = begin();
  let bytes = 0;
  return {
    write: (text) => {
      if (descriptor === null) return;
      if (bytes > MAX_FILE_BYTES) {
        closeSync(descriptor);
        descriptor = begin();
        bytes = 0;
      }
      bytes += writeSync(descriptor, text);
    },
    close: () => {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}
