/** What the queue says to the log, and how seldom it may repeat itself. */

/** The part of a pino logger that this package uses. */
export interface QueueLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** While a server is away each connection and each queue reports it several times a second: one line in this many milliseconds says it, for each source. */
const quietMs = 5000;

/** Handlers for the `error` events of everything that has any; without a handler such an event ends the process. */
export type ErrorLog = (source: string) => (error: Error) => void;

/** Makes the handlers; `suppressed` in a line counts what was left out since the line before. */
export function createErrorLog(logger: QueueLogger): ErrorLog {
  return (source) => {
    let suppressed = 0;
    let quietUntil = 0;
    return (error) => {
      const now = performance.now();
      if (now < quietUntil) {
        suppressed += 1;
        return;
      }
      logger.warn({ err: error, source, suppressed }, "queue error");
      suppressed = 0;
      quietUntil = now + quietMs;
    };
  };
}
