/** The three routes that show operators and load balancers the state of a process. */
import { Router } from "express";
import type { Registry } from "prom-client";
import { withDeadline } from "./deadline.ts";
import { describeError } from "./describe-error.ts";

const CHECK_TIMEOUT_MS = 2_000;

/** Resolves when the dependency answers; rejects with the reason. */
export type Check = () => Promise<void>;

export interface HealthOptions {
  /** Checks by the name of their dependency, which /readyz shows. */
  readonly checks: Readonly<Record<string, Check>>;
  readonly metrics: Pick<Registry, "contentType" | "metrics">;
  /** True once the process is shutting down. /readyz then answers 503, so that load balancers stop sending requests. */
  readonly isDraining: () => boolean;
}

interface CheckResult {
  readonly ok: boolean;
  readonly error?: string;
}

/**
 * GET /healthz returns 200 while the process runs. GET /readyz returns 200 if every check passes within 2 s, and 503
 * otherwise. Its body lists each dependency by name. GET /metrics returns Prometheus' text format.
 */
export function healthRoutes(options: HealthOptions): Router {
  const checks = Object.entries(options.checks).map(([name, check]) => [name, shareWhileRunning(check)] as const);
  const routes = Router();

  routes.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });

  routes.get("/readyz", async (_request, response) => {
    const results = await Promise.all(checks.map(async ([name, check]) => [name, await runCheck(check)] as const));
    const isReady = results.every(([, result]) => result.ok) && !options.isDraining();
    response.status(isReady ? 200 : 503).json({
      status: options.isDraining() ? "draining" : isReady ? "ready" : "not ready",
      checks: Object.fromEntries(results),
    });
  });

  routes.get("/metrics", async (_request, response) => {
    response.type(options.metrics.contentType).send(await options.metrics.metrics());
  });

  return routes;
}

async function runCheck(check: Check): Promise<CheckResult> {
  try {
    await withDeadline(check(), CHECK_TIMEOUT_MS);
    return { ok: true };
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

/** Shares a running check, so that checks do not pile up while a dependency hangs. */
function shareWhileRunning(check: Check): Check {
  let running: Promise<void> | null = null;
  return () => {
    running ??= check().finally(() => {
      running = null;
    });
    return running;
  };
}
