/** The API process: reads the configuration, opens the backends, serves, and closes everything in reverse order. */
import { randomBytes } from "node:crypto";
import { parseCompletionWindows } from "@nightshift/domain";
import { createLogger, createMetrics, listen, runProcess } from "@nightshift/service";
import { batchFileLife, openBackends } from "@nightshift/backends";
import { createWebhookSender } from "@nightshift/webhooks";
import { createApp } from "./app.ts";
import { bootstrapKey } from "./bootstrap-key.ts";
import { readApiConfig, readTiers, readUpstreamNames } from "./config.ts";
import { answerConnectionFault } from "./middleware/connection-faults.ts";

/** The time to close everything, added to the grace period for open requests. */
const CLOSE_TIMEOUT_MS = 10_000;

runProcess("api", async (life) => {
  const config = readApiConfig();
  const logger = createLogger({ name: "api", level: config.NIGHTSHIFT_LOG_LEVEL });
  life.logWith(logger);
  const upstreams = await readUpstreamNames(config);
  const tiers = await readTiers(config);

  const stores = await openBackends(config, { upstreams, logger, signal: life.stopping });
  life.onStop("stores", CLOSE_TIMEOUT_MS, () => stores.close());
  const firstKey = await bootstrapKey({
    db: stores.db,
    random: randomBytes,
    configuredKey: config.NIGHTSHIFT_BOOTSTRAP_KEY,
    dataDir: config.NIGHTSHIFT_DATA_DIR,
  });
  if (firstKey !== null) process.stdout.write(`The first API key (it will not be shown again): ${firstKey}\n`);

  const app = createApp({
    ...stores,
    logger,
    metrics: createMetrics(),
    completionWindows: parseCompletionWindows(config.NIGHTSHIFT_COMPLETION_WINDOWS),
    batchFileLifeSeconds: batchFileLife(config.NIGHTSHIFT_FILE_EXPIRY_DAYS),
    allowPrivateWebhooks: config.NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE,
    webhooks: createWebhookSender({ allowPrivate: config.NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE }),
    adminKey: config.NIGHTSHIFT_ADMIN_KEY ?? null,
    tiers,
    clock: () => new Date(),
    random: randomBytes,
    isDraining: () => life.stopping.aborted,
  });
  const graceMs = config.NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS * 1000;
  const answerFault = answerConnectionFault({ logger, random: randomBytes });
  const server = await listen(app, { host: config.HOST, port: config.PORT, answerFault });
  life.onStop("http", graceMs + CLOSE_TIMEOUT_MS, () => server.close(graceMs));
  logger.info({ url: server.url }, "the API is listening");
  life.listening(server.url);
});
