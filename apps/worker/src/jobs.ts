/**
 * `line.failed`: a line that ran out of attempts waits in the failed set for an admin. There is nothing to do: the job's
 * entry in the catalogue ends it there, with its reason. Somebody must take it all the same.
 */
import type { JobPayload } from "@nightshift/queue";

export function parkFailedLine(): (payload: JobPayload<"line.failed">) => Promise<void> {
  return () => Promise.resolve();
}
