/** The worker process: sends the lines of batches to their upstreams and assembles the result files. */
import express from "express";
import { createLogger, createMetrics, healthRoutes, listen, runProcess } from "@nightshift/service";
import { batchFileLife, openBackends } from "@nightshift/backends";
import { createWebhookSender } from "@nightshift/webhooks";
import { readRoutes, readTiers, readWorkerConfig } from "./config.ts";
import { ensureUpstream, simulatorRoutes } from "./fallback-simulator.ts";
import { startWorkerProcesses } from "./processes/primary.ts";
import { processMetricsRoute } from "./processes/process-metrics.ts";
import { startWorker } from "./worker.ts";

/** Added to the grace period, as time to record the last results and to remove this worker from the ledger. */
const RECORD_MS = 10_000;

runProcess("worker", async (life) => {
  const { config, env } = readWorkerConfig();
  const logger = createLogger({ name: "worker", level: config.NIGHTSHIFT_LOG_LEVEL });
  life.logWith(logger);

  const simulatorUrl = await ensureUpstream(config, env, life, logger);
  const routes = simulatorUrl === null ? await readRoutes(config, env) : await simulatorRoutes(simulatorUrl);
  const tiers = await readTiers(config, env);
  if (config.WORKER_PROCESSES > 1) {
    await startWorkerProcesses({ program: import.meta.filename, config, env, simulatorUrl, life, logger });
    return;
  }

  const registry = createMetrics();
  const upstreams = routes.upstreams.map((upstream) => upstream.name);
  const stores = await openBackends(config, { upstreams, logger, signal: life.stopping });
  life.onStop("stores", 10_000, () => stores.close());

  const app = express();
  app.disable("x-powered-by");
  app.use(healthRoutes({ checks: stores.checks, metrics: registry, isDraining: () => life.stopping.aborted }));
  app.use(processMetricsRoute(registry));
  const server = await listen(app, { host: config.HOST, port: config.PORT });
  life.onStop("health server", 2_000, () => server.close(0));

  const graceMs = config.NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS * 1_000;
  const batchFileLifeSeconds = batchFileLife(config.NIGHTSHIFT_FILE_EXPIRY_DAYS);
  const webhooks = createWebhookSender({ allowPrivate: config.NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE });
  const worker = await startWorker(
    { ...stores, routes, tiers, webhooks, logger, clock: () => new Date(), batchFileLifeSeconds },
    registry,
  );
  life.onStop("lines in flight", graceMs + RECORD_MS, () => worker.stop(graceMs));
  life.listening(server.url);
});
