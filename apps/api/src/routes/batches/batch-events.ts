/** GET /v1/batches/{batch_id}/events: progress as server-sent events. This is an extension: docs/extensions.md. */
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
 * Sends a `progress` event at once and after each change, at most one per second. Sends `done` when the batch is final,
 * and ends the stream. Each event has the whole state, so a client that reconnects misses nothing. A client that
 * returns with the `Last-Event-ID` of `done` gets 204, which tells an EventSource to stop (WHATWG HTML §9.2.3).
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
    // The client disconnected during the lookup. Its `close` event has passed and would not stop the watch.
    if (response.destroyed) return;
    let last = "";
    let stop = (): void => undefined;
    const stream = openEventStream(response, () => {
      stop();
    });
    stop = deps.watch.watch(batch.batchNo, {
      onReading: (reading) => {
        const data = JSON.stringify(presentProgress(reading, deps.clock()));
        if (data === last) return;
        last = data;
        const isDone = isFinal(reading.status);
        stream.send({ name: isDone ? "done" : "progress", id: eventId(reading), data });
        if (isDone) stream.end();
      },
      onEnd: () => {
        stream.end();
      },
    });
  };
}

function eventId({ status, completed, failed }: Pick<BatchView, "status" | "completed" | "failed">): string {
  return [status, completed, failed].join("-");
}
