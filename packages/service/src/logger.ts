/** The log of a process: one JSON object a line on standard output. */
import { types } from "node:util";
import { pino } from "pino";

/** The logger that everything of ours takes as a dependency. */
export type Logger = pino.Logger;

/** The levels of NIGHTSHIFT_LOG_LEVEL, the least severe first; `silent` logs nothing. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Takes the finished lines where standard output is not the place for them. */
export type LogDestination = pino.DestinationStream;

/**
 * A logger that writes at once, so that the last line before a crash is not lost. `level` is a word in each line and
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

/** What helps of an error. Not all it has: errors of database clients carry their connection, with all its settings. */
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
