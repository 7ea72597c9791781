/** A real Postgres beside our own process, without Docker and without configuration: and only that. */
export { LocalPostgresError } from "./errors.ts";
export { startLocalPostgres } from "./start.ts";
export type { LocalPostgres, LocalPostgresLogger, LocalPostgresOptions } from "./start.ts";
