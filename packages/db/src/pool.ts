/** The connection pool: one for each process, with timeouts that release the locks of a host that has vanished. */
import { types } from "node:util";
import { NETWORK_ERROR_CODES } from "@nightshift/domain";
import pg from "pg";

export type Db = pg.Pool;
export type Tx = pg.PoolClient;
export type Queryable = Pick<pg.PoolClient, "query">;

const INT8 = 20;
const parserOf = pg.types.getTypeParser as (oid: number, format?: string) => (text: string) => unknown;

/** A host that vanishes in the middle of a transaction can hold the locks of a batch for at most 5 s. */
const SESSION_LIMITS =
  "-c idle_in_transaction_session_timeout=5000 -c lock_timeout=5000 -c tcp_user_timeout=5000 -c statement_timeout=60000";

export interface DbOptions {
  readonly url: string;
  /** The maximum number of connections of this process. */
  readonly max?: number;
  /** Shown in pg_stat_activity. */
  readonly name?: string;
  /** Called when an idle connection breaks. The pool replaces it. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * Opens a pool. It connects at the first query. Reads `bigint` as a number, because these columns count bytes, tokens
 * or rows. Statements select bit masks as text.
 */
export function openDb(options: DbOptions): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max ?? 12,
    application_name: options.name ?? "nightshift",
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    options: SESSION_LIMITS,
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") => (oid === INT8 ? Number : parserOf(oid, format)),
    },
  });
  pool.on("error", (error) => options.onIdleError?.(error));
  // Without a listener, a connection that breaks between two statements would end the process. The next statement fails
  // and reports the error to its caller.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** The SQLSTATEs of a server that is shutting down, starting, or out of connections. */
const UNAVAILABLE_STATES = new Set(["57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08004", "08006"]);

/** True if Postgres is unavailable, so that the same call may succeed later. */
export function isDbUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (UNAVAILABLE_STATES.has(code) || NETWORK_ERROR_CODES.includes(code)) return true;
  return /connection terminated|timeout exceeded when trying to connect|server closed the connection/i.test(
    error.message,
  );
}
