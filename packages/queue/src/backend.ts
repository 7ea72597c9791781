/** The choice between the two backends. */
import type { QueueConnections } from "./connections.ts";
import { openPostgres, preparePostgres } from "./postgres-backend.ts";
import type { ErrorLog } from "./queue-log.ts";
import { openRedis } from "./redis-backend.ts";

/** Where the queue lives: Redis where there is one, else the Postgres that is there anyway. */
export type QueueBackend =
  { readonly kind: "redis"; readonly url: string } | { readonly kind: "postgres"; readonly url: string };

/** Makes the server ready for `openQueues`: creates or migrates BullMQ's schema on Postgres; Redis needs nothing. Safe when several processes race. */
export async function prepareQueueBackend(backend: QueueBackend): Promise<void> {
  if (backend.kind === "postgres") await preparePostgres(backend.url);
}

/** Opens the connections of a process. `prefix` begins Redis' keys; Postgres has a schema of its own instead. */
export function openConnections(
  backend: QueueBackend,
  options: { readonly prefix: string; readonly queues: number; readonly errorLog: ErrorLog },
): QueueConnections {
  return backend.kind === "redis" ? openRedis(backend.url, options) : openPostgres(backend.url, options);
}
