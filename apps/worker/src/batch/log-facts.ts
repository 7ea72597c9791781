/** What every log line about a batch names: the batch, and the request that created it, by the `x-request-id` of its reply. */
import type { BatchView } from "@nightshift/db";

export function logFacts({ id, requestId }: Pick<BatchView, "id" | "requestId">): {
  batchId: string;
  requestId: string | null;
} {
  return { batchId: id, requestId };
}
