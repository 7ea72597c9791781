/** The log of a process: one JSON object per line on standard output. */
import { types } from "node:util";
import { pino } from "pino";

/** The logger that our code takes as a dependency. */
export type Logger = pino.Logger;

/** The levels of NIGHTSHIFT_LOG_LEVEL, the least severe first. `silent` logs nothing. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Receives the log lines instead of standard output. */
export type LogDestination = pino.DestinationStream;

/**
 * Creates a logger that writes synchronously, so that the last line before a crash is not lost. `level` is a word and
 * `time` an ISO date, because people read these lines too.
 */
export function createLogger(options: {
  readonly name: string;
  readonly level: LogLevel;
  readonly destination?: LogDestination;
}): Logger {
  const settings: pino.LoggerOptions = {
    name: options.name,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    base: { pid: process.pid },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** Keeps the useful fields of an error. Errors of database clients also have their connection with all its settings. */
function serializeError(error: unknown): unknown {
  if (!types.isNativeError(error)) return error;
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(detail === undefined ? {} : { detail }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}
