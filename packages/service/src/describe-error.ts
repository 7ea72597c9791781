/** Describes an error in a few words, for places without a stack trace: health checks, and waiting at the start. */

/** Returns the error's message, or its code if it has none, like Node's AggregateError for a refused connection. */
export function describeError(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, code, name } = error as {
    readonly message?: string;
    readonly code?: string;
    readonly name?: string;
  };
  return [message, code, name].find((text) => text !== undefined && text !== "") ?? "an error without a message";
}
