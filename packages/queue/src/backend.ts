/** Chooses between the two backends, Redis and Postgres. */
import type { QueueConnections } from "./connections.ts";
import { openPostgres, preparePostgres } from "./postgres-backend.ts";
import type { ErrorLog } from "./queue-log.ts";
import { openRedis } from "./redis-backend.ts";

/** The server of the queue: Redis if there is one, or the Postgres that every installation has. */
export type QueueBackend =
  { readonly kind: "redis"; readonly url: string } | { readonly kind: "postgres"; readonly url: string };

/**
 * Prepares the server for `openQueues`: creates or migrates BullMQ's schema on Postgres. Redis needs no preparation.
 * Several processes may call it at once.
 */
export async function prepareQueueBackend(backend: QueueBackend): Promise<void> {
  if (backend.kind === "postgres") await preparePostgres(backend.url);
}

/**
 * Opens the connections of a process. Redis' keys begin with `prefix`; on Postgres, BullMQ has its own schema instead.
 */
export function openConnections(
  backend: QueueBackend,
  options: { readonly prefix: string; readonly queues: number; readonly errorLog: ErrorLog },
): QueueConnections {
  return backend.kind === "redis" ? openRedis(backend.url, options) : openPostgres(backend.url, options);
}
