/** Runs SQL on the database of a stack. It keeps its connections, because a test that polls would sign in each time. */
import pg from "pg";

/** Runs statements, one after the other or several at once. */
export interface Statements {
  readonly run: <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Lets go of what is open, without waiting for what runs; the next statement asks anew where the database is. */
  readonly forget: () => void;
}

/** `findUrl` is asked at the first statement, and again after one that failed: a database that was killed comes back elsewhere. */
export function createStatements(findUrl: () => Promise<string>): Statements {
  let pool: pg.Pool | undefined;
  const open = async (): Promise<pg.Pool> => {
    const connectionString = await findUrl();
    if (pool !== undefined) return pool;
    const opened = new pg.Pool({ connectionString, max: 2, allowExitOnIdle: true });
    opened.on("error", () => undefined); // an idle connection went with its server: the pool has taken it out
    return (pool = opened);
  };
  const forget = (): void => {
    void pool?.end().catch(() => undefined); // whoever waits for a statement is told by it
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
