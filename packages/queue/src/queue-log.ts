/** Logs the queue's errors, at a limited rate. */

/** The part of a pino logger that this package uses. */
export interface QueueLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * While the server is unavailable, every connection, queue and worker reports it, some of them twice per second. Errors
 * that differ only in numbers are logged once in this interval.
 */
const QUIET_MS = 5_000;

/** Returns a handler for the `error` events of `source`. Without a handler, such an event ends the process. */
export type ErrorLog = (source: string) => (error: Error) => void;

/** In a log line, `suppressed` counts the similar errors that were left out since the last line. */
export function createErrorLog(logger: QueueLogger): ErrorLog {
  const said = new Map<string, { readonly quietUntil: number; suppressed: number }>();
  return (source) => (error) => {
    const now = performance.now();
    const kind = error.message.replaceAll(/\d+/g, "0");
    const last = said.get(kind);
    if (last !== undefined && now < last.quietUntil) {
      last.suppressed += 1;
      return;
    }
    for (const [other, { quietUntil }] of said) if (quietUntil + QUIET_MS < now) said.delete(other);
    said.set(kind, { quietUntil: now + QUIET_MS, suppressed: 0 });
    logger.warn({ err: error, source, suppressed: last?.suppressed ?? 0 }, "queue error");
  };
}
