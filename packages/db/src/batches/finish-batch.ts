/** Finishes a batch: one transaction inserts its result files and sets its final status. */
import type { Db } from "../pool.ts";
import { type NewFile, registerFile } from "../files/files.ts";
import { commitIfFirst, LostRaceError } from "../tx.ts";
import { moveBatch } from "./move-batch.ts";

/** A result file whose object is already written. */
export interface ResultFile extends NewFile {
  etag: string;
}

export interface Finish {
  batchNo: number;
  to: "completed" | "expired" | "cancelled";
  /** Null if no line belongs in this file: contract §4.5. */
  output: ResultFile | null;
  error: ResultFile | null;
}

/** Returns false if another assembler was first. The caller then deletes its own objects. */
export async function finishBatch(db: Db, finish: Finish, now: Date): Promise<boolean> {
  return commitIfFirst(db, async (tx) => {
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
}
