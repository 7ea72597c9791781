/**
 * GET /v1/batches/{batch_id}/results: finished lines while the batch runs. This is an extension: docs/extensions.md.
 */
import { type BatchView, findBatch } from "@nightshift/db";
import { errors, isFinal, RESULT_LOG_KEPT_SECONDS, RESULT_PAGE } from "@nightshift/domain";
import { ObjectNotFoundError } from "@nightshift/storage";
import { Type } from "@sinclair/typebox";
import type { Response } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { onObjectStore } from "../../objects.ts";
import { textParser } from "../../request-schema.ts";
import { BEGINNING, parseCursor, printCursor, type ResultCursor } from "../../results/result-cursor.ts";
import { readResultPage, type ResultPage, type ResultPageDeps } from "../../results/result-page.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { type BatchWatch, isOver } from "../../watch/batch-watch.ts";

/** The query of GET /v1/batches/{batch_id}/results. Unknown parameters are ignored. */
export const BatchResultsQuery = Type.Object({
  after: Type.Optional(
    Type.String({
      description: "`next_cursor` of the previous page. Without it, the page begins with the first line.",
    }),
  ),
  limit: Type.Integer({
    minimum: 1,
    maximum: RESULT_PAGE.max,
    default: RESULT_PAGE.default,
    description: "The maximum number of lines on the page. The page also ends at 4 MiB.",
  }),
  wait: Type.Integer({
    minimum: 0,
    maximum: RESULT_PAGE.maxWaitSeconds,
    default: 0,
    description: "How many seconds to wait for the first line while the batch can still have more lines.",
  }),
});

const parseQuery = textParser(BatchResultsQuery);

export interface BatchResultsDeps extends ResultPageDeps {
  readonly watch: Pick<BatchWatch, "next">;
  readonly clock: () => Date;
}

/**
 * Sends the next output and error lines in the order in which they were recorded, each once. `has_more` is true while
 * the log has more lines or can still grow. With `wait`, an empty page is delayed by up to that many seconds. Lines
 * that never finished are only in the error file. One day after the end of the batch, the reply becomes 404.
 */
export function batchResultsRoute(deps: BatchResultsDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const batch = isObjectId(id) ? await findBatch(deps.db, tenant, id) : null;
    if (batch === null) throw errors.batchNotFound(id);
    const { after, limit, wait } = parseQuery({ ...request.query });
    const cursor = after === undefined ? BEGINNING : parseCursor(after);
    if (isDeleted(batch, deps.clock())) throw errors.resultsGone(id);
    const { page, canGrow } = await pageWithin(deps, batch, cursor, limit, wait * 1000, response);
    sendPage(response, page, page.hasMore || canGrow);
  };
}

function isDeleted({ completedAt, expiredAt, cancelledAt }: BatchView, now: Date): boolean {
  const endedAt = completedAt ?? expiredAt ?? cancelledAt;
  return endedAt !== null && now.getTime() - endedAt.getTime() >= RESULT_LOG_KEPT_SECONDS * 1000;
}

/** Reads a page. If it is empty, reads again after each commit until `waitMs` have passed. */
async function pageWithin(
  deps: BatchResultsDeps,
  batch: BatchView,
  cursor: ResultCursor,
  limit: number,
  waitMs: number,
  response: Response,
): Promise<{ page: ResultPage; canGrow: boolean }> {
  const disconnected = new AbortController();
  response.once("close", () => {
    disconnected.abort();
  });
  const endMs = performance.now() + waitMs;
  // Determine this before the read: the log of a sealed batch is complete.
  let canGrow = !isOver({ isSealed: batch.sealedAs !== null, status: batch.status });
  let seenSeq = -1;
  for (;;) {
    const page = await readPage(deps, batch, cursor, limit);
    const leftMs = endMs - performance.now();
    if (page.lines.length > 0 || !canGrow || leftMs <= 0 || response.destroyed) return { page, canGrow };
    const reading = await deps.watch.next(batch.batchNo, seenSeq, leftMs, disconnected.signal);
    if (reading === null) return { page, canGrow };
    seenSeq = reading.seq;
    canGrow = !isOver(reading);
  }
}

async function readPage(
  deps: BatchResultsDeps,
  batch: BatchView,
  cursor: ResultCursor,
  limit: number,
): Promise<ResultPage> {
  try {
    return await onObjectStore(() => readResultPage(deps, batch.batchNo, cursor, limit));
  } catch (error) {
    if (error instanceof ObjectNotFoundError && isFinal(batch.status)) throw errors.resultsGone(batch.id);
    throw error;
  }
}

function sendPage(response: Response, { lines, next }: ResultPage, hasMore: boolean): void {
  const comma = Buffer.from(",\n");
  const tail = `\n], "has_more": ${String(hasMore)}, "next_cursor": ${JSON.stringify(printCursor(next))}}\n`;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.send(
    Buffer.concat([
      Buffer.from(`{"object": "list", "data": [\n`),
      ...lines.flatMap((line, at) => (at === 0 ? [line] : [comma, line])),
      Buffer.from(tail),
    ]),
  );
}
