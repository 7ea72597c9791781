/** What this package throws: sentences for the person at the terminal, saying what is wrong and what to do. */

/** Postgres could not be run on this machine. The message is meant to be shown as it is. */
export class LocalPostgresError extends Error {
  override readonly name = "LocalPostgresError";
}
