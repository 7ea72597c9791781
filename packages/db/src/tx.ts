/** Transactions: the only way to more than one statement on the same connection. */
import type { Db, Tx } from "./pool.ts";

const DEADLOCK = "40P01";
const MAX_TRIES = 5;

/**
 * Runs `work` in a transaction and commits, or rolls back and rethrows. A deadlock is repeated, up to five times, so
 * `work` must have no effect outside of the transaction.
 */
export async function withTx<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(db, work);
    } catch (error) {
      const isDeadlock = error instanceof Error && "code" in error && error.code === DEADLOCK;
      if (!isDeadlock || attempt === MAX_TRIES) throw error;
    }
  }
}

async function once<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await db.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  tx.on("error", onError);
  try {
    await tx.query("begin");
    const result = await work(tx);
    await tx.query("commit");
    return result;
  } catch (error) {
    await tx.query("rollback").catch((rollbackError: unknown) => {
      // The connection is gone and with it the transaction: hand it back as unusable.
      broken = rollbackError instanceof Error ? rollbackError : new Error(String(rollbackError));
    });
    throw error;
  } finally {
    tx.off("error", onError);
    tx.release(broken);
  }
}
