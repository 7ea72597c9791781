/** Serves the dashboard for admins: bull-board with all queues. */
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import type { JobQueues } from "@nightshift/queue";
import { type RequestHandler, Router } from "express";
import { refuseCrossSite, requireAdmin } from "./admin-guard.ts";
import { FailedLinesAdapter } from "./failed-lines-adapter.ts";
import { retryLine, type RetryLineDeps, RetryRefusedError } from "./retry-line.ts";

const FAILED_LINES = "failed-lines";

export interface DashboardDeps extends RetryLineDeps {
  readonly queues: Pick<JobQueues, "boards" | "enqueue" | "enqueueSlices" | "findFailedLine" | "removeFailedLine">;
}

/**
 * Creates a router to mount at `path`. Every request needs the admin key, and changes must come from the same origin.
 */
export function dashboard(deps: DashboardDeps, adminKey: string, path: string): Router {
  const failedLinesDeps = {
    queues: deps.queues,
    retry: (failed: Parameters<typeof retryLine>[1]) => retryLine(deps, failed, "admin"),
  };
  const adapters = deps.queues
    .boards()
    .map((queue) =>
      queue.name === FAILED_LINES ? new FailedLinesAdapter(queue, failedLinesDeps) : new BullMQAdapter(queue),
    );
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(path);
  createBullBoard({
    queues: adapters,
    serverAdapter,
    options: { uiConfig: { boardTitle: "Nightshift" } },
  });
  serverAdapter.setErrorHandler(presentFault);

  const router = Router();
  router.use(requireAdmin(adminKey), refuseCrossSite);
  const failedLines = adapters.find((adapter) => adapter instanceof FailedLinesAdapter);
  if (failedLines !== undefined) router.put(`/api/queues/${FAILED_LINES}/retry/failed`, retryAllRoute(failedLines));
  router.use(serverAdapter.getRouter() as Router);
  return router;
}

/** Replaces the handler of bull-board, which stops at the first job that is refused. */
function retryAllRoute(failedLines: FailedLinesAdapter): RequestHandler {
  return async (_request, response) => {
    const { retried, skipped, refusal } = await failedLines.retryAll();
    if (retried > 0 || refusal === null) response.json({ retried, skipped });
    else response.status(refusal.statusCode).json(bodyOf(refusal));
  };
}

type Fault = Parameters<Parameters<ExpressAdapter["setErrorHandler"]>[0]>[0];
type FaultReply = ReturnType<Parameters<ExpressAdapter["setErrorHandler"]>[0]>;

/** Replaces the handler of bull-board, which titles every error "Internal server error". */
function presentFault(fault: Fault & { readonly statusCode?: FaultReply["status"] }): FaultReply {
  if (fault instanceof RetryRefusedError) return { status: fault.statusCode, body: bodyOf(fault) };
  const body = { error: { key: "ERRORS.INTERNAL_SERVER_ERROR" }, message: fault.message };
  return { status: fault.statusCode ?? 500, body };
}

/**
 * The page shows `error` as the title of a notice and `message` below it. A title without a translation is shown as is.
 */
function bodyOf({ message }: RetryRefusedError): { error: string; message: string } {
  return { error: "Not retried", message };
}
