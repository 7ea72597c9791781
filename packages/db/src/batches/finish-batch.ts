/** The last move of a batch: its result files appear and its status becomes final, in one transaction. */
import type { Db } from "../pool.ts";
import type { NewFile } from "../files/insert-file.ts";
import { registerFile } from "../files/register-file.ts";
import { withTx } from "../tx.ts";
import { moveBatch } from "./move-batch.ts";

/** A result file whose object is written. */
export interface ResultFile extends NewFile {
  etag: string;
}

export interface Finish {
  batchNo: number;
  to: "completed" | "expired" | "cancelled";
  /** Null where no line has that kind: contract §4.5. */
  output: ResultFile | null;
  error: ResultFile | null;
}

class LostRaceError extends Error {}

/** False where another assembler was first: the caller deletes its own objects. */
export async function finishBatch(db: Db, finish: Finish, now: Date): Promise<boolean> {
  try {
    await withTx(db, async (tx) => {
      for (const file of [finish.output, finish.error]) {
        if (file !== null) await registerFile(tx, file, file.etag);
      }
      const isMoved = await moveBatch(
        tx,
        finish.batchNo,
        { to: finish.to, outputFileId: finish.output?.id ?? null, errorFileId: finish.error?.id ?? null },
        now,
      );
      if (!isMoved) throw new LostRaceError();
    });
    return true;
  } catch (error) {
    if (error instanceof LostRaceError) return false;
    throw error;
  }
}
