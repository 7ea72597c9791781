/** A batch in progress and a worker that has claimed all of it: the ledger as the worker's own parts find it. */
import { randomUUID } from "node:crypto";
import {
  type BatchView,
  claimSlices,
  insertBatch,
  type Db,
  declareUpstream,
  ensureLinePartition,
  feedUpstream,
  getBatch,
  insertBlob,
  moveBatch,
  registerWorker,
} from "@nightshift/db";
import { newBatch } from "@nightshift/testing";
import type { LineTask } from "../src/lines/line-task.ts";
import { tasksOfSlice } from "./line-fixture.ts";

export interface RunningBatch {
  readonly batchNo: number;
  readonly day: number;
  readonly worker: string;
  /** One for each line of the batch, in one slice. */
  readonly tasks: LineTask[];
  view(): Promise<BatchView | null>;
}

/** A batch of up to 64 lines with an upstream, a tenant and a worker of its own. */
export async function startBatch(db: Db, total: number, pid = process.pid): Promise<RunningBatch> {
  const mark = randomUUID();
  const now = new Date();
  await db.query("insert into tenants (id) values ($1)", [mark]);
  const { batchNo: number, day } = await insertBatch(db, newBatch({ tenant: mark, createdAt: now }));
  await ensureLinePartition(db, day);
  const blobs = { inputBlob: `inputs/${mark}`, indexBlob: `indexes/${mark}` };
  for (const key of Object.values(blobs)) await insertBlob(db, { key, bytes: 1, etag: "e" });
  await declareUpstream(db, { name: mark, concurrency: 10, requestsPerMinute: null, sliceLines: null });
  await moveBatch(
    db,
    number,
    { to: "in_progress", upstream: mark, model: "small", ...blobs, total, firstByte: 0 },
    now,
  );
  await registerWorker(db, { id: mark, host: "here", pid });
  const slice = { batchNo: number, firstLine: 0, lineCount: total, byteOffset: 0, byteLength: 1 };
  const [fed] = await feedUpstream(db, mark, now, () => Promise.resolve([slice]));
  const [claimed] = fed === undefined ? [] : await claimSlices(db, mark, [fed], now);
  if (!claimed) throw new Error("the batch's slice could not be claimed");
  return { batchNo: number, day, worker: mark, tasks: tasksOfSlice(claimed), view: () => getBatch(db, number) };
}
