/** GET /v1/batches/{batch_id}/events: the batch's progress as server-sent events. Ours: docs/extensions.md. */
import { type BatchView, type Db, findBatch } from "@nightshift/db";
import { errors, isFinal } from "@nightshift/domain";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { presentProgress } from "../../present/progress.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { BatchWatch } from "../../watch/batch-watch.ts";
import { openEventStream } from "../../watch/event-stream.ts";

export interface BatchEventsDeps {
  readonly db: Db;
  readonly watch: Pick<BatchWatch, "watch">;
  readonly clock: () => Date;
}

/**
 * An event `progress` at once and on each change, at most one a second; `done` when the batch is final, and the stream ends.
 * Each event is the whole state, so nothing is lost when a client connects again; one that comes back with the
 * `Last-Event-ID` of `done` gets 204, which tells an EventSource to stop (WHATWG HTML §9.2.3).
 */
export function batchEventsRoute(deps: BatchEventsDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const batch = isObjectId(id) ? await findBatch(deps.db, tenant, id) : null;
    if (batch === null) throw errors.batchNotFound(id);
    if (isFinal(batch.status) && request.headers["last-event-id"] === eventId(batch)) {
      response.status(204).end();
      return;
    }
    if (request.method === "HEAD") {
      response.setHeader("content-type", "text/event-stream; charset=utf-8").end();
      return;
    }
    // Gone while the batch was looked up: its `close` is over, and nobody would stop the watch.
    if (response.destroyed) return;
    let last = "";
    let stop = (): void => undefined;
    const stream = openEventStream(response, () => {
      stop();
    });
    stop = deps.watch.watch(batch.batchNo, {
      seen: (seen) => {
        const data = JSON.stringify(presentProgress(seen, deps.clock()));
        if (data === last) return;
        last = data;
        const isDone = isFinal(seen.status);
        stream.send({ name: isDone ? "done" : "progress", id: eventId(seen), data });
        if (isDone) stream.end();
      },
      ended: () => {
        stream.end();
      },
    });
  };
}

function eventId({ status, completed, failed }: Pick<BatchView, "status" | "completed" | "failed">): string {
  return [status, completed, failed].join("-");
}
