/** Where the programs' output goes: all of it to a bounded file, what somebody should know to the screen as well. */
import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const MAX_FILE_BYTES = 50 * 1024 * 1024;

/** The same words from the same program are shown once in this time: a store that is away is reported by every job. */
const REPEAT_MS = 10_000;

const LAST_WORDS = 30;

const SHOWN_LEVELS = ["warn", "error", "fatal"] as const;

export type ShownLevel = (typeof SHOWN_LEVELS)[number];

/** Somewhere to show what a program warned of. */
export type ShowWarning = (program: string, level: ShownLevel, message: string) => void;

export interface ProgramLog {
  /** Takes over a running program's output. */
  readonly follow: (output: { readonly stdout: Readable; readonly stderr: Readable }) => void;
  /** The last lines on stderr that were no log entries: what a program says that cannot start. */
  readonly lastWords: () => string;
  readonly close: () => void;
}

/** Begins a new file and keeps the one before as `<file>.1`; the same when it grows beyond 50 MB. */
export function openProgramLog(file: string, show: ShowWarning): ProgramLog {
  const sink = openBoundedFile(file);
  const shownAt = new Map<string, number>();
  let words: string[] = [];

  const showUnlessRepeated = ({ name, level, message }: LogEntry): void => {
    const now = performance.now();
    if (now - (shownAt.get(message) ?? -REPEAT_MS) < REPEAT_MS) return;
    if (shownAt.size > 100) shownAt.clear();
    shownAt.set(message, now);
    show(name, level, message);
  };
  const follow = (stream: Readable, onWords: (line: string) => void): void => {
    createInterface({ input: stream }).on("line", (line) => {
      sink.write(`${line}\n`);
      const entry = parseEntry(line);
      if (entry === "no entry") onWords(line);
      else if (entry !== "not shown") showUnlessRepeated(entry);
    });
  };
  return {
    follow: ({ stdout, stderr }) => {
      words = [];
      follow(stdout, () => undefined);
      follow(stderr, (line) => {
        words = [...words, line].slice(-LAST_WORDS);
      });
    },
    lastWords: () => words.join("\n").trim(),
    close: sink.close,
  };
}

interface LogEntry {
  /** The program that wrote it: this one, or one that it started. */
  readonly name: string;
  readonly level: ShownLevel;
  readonly message: string;
}

/** Reads a line as one of our logger's. */
function parseEntry(line: string): LogEntry | "not shown" | "no entry" {
  if (!line.startsWith("{")) return "no entry";
  try {
    const { name, level, msg, err } = JSON.parse(line) as Record<"name" | "level" | "msg" | "err", unknown>;
    const shown = SHOWN_LEVELS.find((name) => name === level);
    if (shown === undefined) return "not shown";
    return { name: String(name), level: shown, message: [String(msg), ...reasonOf(err)].join(": ") };
  } catch {
    // Something that merely begins like JSON.
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
