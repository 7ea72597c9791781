/** Says in a few words what went wrong, for places that show no stack: health checks, waiting at the start. */

/** The message of `error`; its code where it has none, as Node's AggregateError of a refused connection. */
export function describeError(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, code, name } = error as {
    readonly message?: string;
    readonly code?: string;
    readonly name?: string;
  };
  return [message, code, name].find((text) => text !== undefined && text !== "") ?? "an error without a message";
}
