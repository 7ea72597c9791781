/**
 * Runs SQL on the database of a stack. It keeps its connections, because a test that polls would otherwise connect each
 * time.
 */
import pg from "pg";

/** Runs statements, also concurrently. */
export interface Statements {
  readonly run: <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Drops the connections without waiting for running statements. The next statement asks for the address again. */
  readonly forget: () => void;
}

/**
 * Calls `findUrl` at the first statement and after a failed statement, because a killed database restarts on another
 * port.
 */
export function createStatements(findUrl: () => Promise<string>): Statements {
  let pool: pg.Pool | undefined;
  const open = async (): Promise<pg.Pool> => {
    const connectionString = await findUrl();
    if (pool !== undefined) return pool;
    const opened = new pg.Pool({ connectionString, max: 2, allowExitOnIdle: true });
    opened.on("error", () => undefined); // an idle connection ended with its server: the pool has removed it
    return (pool = opened);
  };
  const forget = (): void => {
    void pool?.end().catch(() => undefined); // the statement itself reports the error
    pool = undefined;
  };
  return {
    forget,
    run: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
      const current = pool ?? (await open());
      try {
        return (await current.query<Row>(text, [...values])).rows;
      } catch (error) {
        if (pool === current) forget();
        throw error;
      }
    },
  };
}
