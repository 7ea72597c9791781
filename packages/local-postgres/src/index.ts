/** Runs a real Postgres on this machine, without Docker and without configuration. */
export { LocalPostgresError } from "./errors.ts";
export { startLocalPostgres } from "./start.ts";
export type { LocalPostgres, LocalPostgresLogger, LocalPostgresOptions } from "./start.ts";
