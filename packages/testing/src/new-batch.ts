/** The fields of a batch that a test inserts. */
import { randomUUID } from "node:crypto";
import type { NewBatch } from "@nightshift/db";

const DAY_MS = 86_400_000;

/** What `change` does not name is as good as any: an id of its own, a day's window, an input file that is not there. */
export function newBatch(change: Partial<NewBatch> & Pick<NewBatch, "tenant" | "createdAt">): NewBatch {
  return {
    id: `batch_${randomUUID().replaceAll("-", "")}`,
    endpoint: "/v1/chat/completions",
    completionWindow: "24h",
    inputFileId: "file-1",
    metadata: null,
    outputExpiresAfterSeconds: null,
    deadline: new Date(change.createdAt.getTime() + DAY_MS),
    ...change,
  };
}
