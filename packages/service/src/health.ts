/** The three routes that tell operators and load balancers how a process is. */
import { Router } from "express";
import type { Registry } from "prom-client";
import { withDeadline } from "./deadline.ts";
import { describeError } from "./describe-error.ts";

const CHECK_TIMEOUT_MS = 2_000;

/** Resolves when the dependency answers; rejects with the reason. */
export type Check = () => Promise<void>;

export interface HealthOptions {
  /** By the dependency's name, which /readyz shows. */
  readonly checks: Readonly<Record<string, Check>>;
  readonly metrics: Pick<Registry, "contentType" | "metrics">;
  /** True once the process is on its way out: /readyz then answers 503, so that balancers send nothing more. */
  readonly isDraining: () => boolean;
}

interface CheckResult {
  readonly ok: boolean;
  readonly error?: string;
}

/**
 * GET /healthz: 200 while the process runs. GET /readyz: 200 when every check passes within 2 s, else 503, with each
 * dependency by name. GET /metrics: Prometheus' text form.
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

/** A dependency that hangs must not gather one more waiting check with each probe of the balancer. */
function shareWhileRunning(check: Check): Check {
  let running: Promise<void> | null = null;
  return () => {
    running ??= check().finally(() => {
      running = null;
    });
    return running;
  };
}
