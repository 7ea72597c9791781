/** Transactions. They are the only way to run more than one statement on the same connection. */
import type { Db, Tx } from "./pool.ts";

const DEADLOCK = "40P01";
const MAX_TRIES = 5;

/**
 * Runs `work` in a transaction. Commits, or rolls back and rethrows. After a deadlock it runs `work` again, up to five
 * times in total, so `work` must not have effects outside of the transaction.
 */
export async function withTx<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(db, work);
    } catch (error) {
      const isDeadlock = error instanceof Error && "code" in error && error.code === DEADLOCK;
      if (!isDeadlock || attempt === MAX_TRIES) throw error;
    }
  }
}

/** Thrown within `commitIfFirst` when another process has already made the change. */
export class LostRaceError extends Error {
  override readonly name = "LostRaceError";
}

/** Like `withTx`, but returns whether it committed: false, after the rollback, if `work` threw a LostRaceError. */
export async function commitIfFirst(db: Db, work: (tx: Tx) => Promise<void>): Promise<boolean> {
  try {
    await withTx(db, work);
    return true;
  } catch (error) {
    if (error instanceof LostRaceError) return false;
    throw error;
  }
}

async function runOnce<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
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
      // The connection and its transaction are lost. Return the connection to the pool as unusable.
      broken = rollbackError instanceof Error ? rollbackError : new Error(String(rollbackError));
    });
    throw error;
  } finally {
    tx.off("error", onError);
    tx.release(broken);
  }
}
