/** What the queue says to the log, and how seldom it may repeat itself. */

/** The part of a pino logger that this package uses. */
export interface QueueLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * While a server is away, each connection, queue and worker says so, some of them twice a second: one line in this many milliseconds is
 * enough for all that differs in numbers only.
 */
const QUIET_MS = 5000;

/** Handlers for the `error` events of everything that has any; without a handler such an event ends the process. */
export type ErrorLog = (source: string) => (error: Error) => void;

/** Makes the handlers; `suppressed` in a line counts those like it that were left out since the last. */
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
