/** The error of this package, whose message tells the person at the terminal what is wrong and what to do. */

/** Postgres cannot run on this machine. Show the message unchanged. */
export class LocalPostgresError extends Error {
  override readonly name = "LocalPostgresError";
}
