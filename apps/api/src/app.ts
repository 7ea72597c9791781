/**
 * Builds the API as an Express app, with its middleware and routes in order. It opens no connection and does not
 * listen.
 */
import type { Db } from "@nightshift/db";
import type { CompletionWindows, RandomBytes, Tiers } from "@nightshift/domain";
import type { JobQueues } from "@nightshift/queue";
import { type Check, Counter, healthRoutes, type Logger, type Registry } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import type { WebhookSender } from "@nightshift/webhooks";
import express, { type Express } from "express";
import { adminRoutes, type AdminTable } from "./admin/admin-api.ts";
import { dashboard } from "./admin/dashboard.ts";
import { createKeyRoute } from "./admin/keys/create-key.ts";
import { listKeysRoute } from "./admin/keys/list-keys.ts";
import { revokeKeyRoute } from "./admin/keys/revoke-key.ts";
import { listTenantsRoute } from "./admin/tenants/list-tenants.ts";
import { retrieveTenantRoute, setTenantRoute } from "./admin/tenants/tenant.ts";
import { createWebhookRoute } from "./admin/webhooks/create-webhook.ts";
import { listWebhooksRoute } from "./admin/webhooks/list-webhooks.ts";
import { deleteWebhookRoute, listWebhookDeliveriesRoute, testWebhookRoute } from "./admin/webhooks/webhook.ts";
import { createKeyRing, type KeyRing } from "./middleware/authenticate.ts";
import { errorHandler } from "./middleware/error-handler.ts";
import { requestIds, requestLog, requestMetrics } from "./middleware/request-context.ts";
import { wireHeaders } from "./middleware/wire-headers.ts";
import { descriptionRoutes } from "./openapi/routes.ts";
import { batchEventsRoute } from "./routes/batches/batch-events.ts";
import { anyBatchHistoryRoute, batchHistoryRoute } from "./routes/batches/batch-history.ts";
import { batchResultsRoute } from "./routes/batches/batch-results.ts";
import { cancelBatchRoute } from "./routes/batches/cancel-batch.ts";
import { createBatchRoute } from "./routes/batches/create-batch.ts";
import { listBatchesRoute } from "./routes/batches/list-batches.ts";
import { retryBatchRoute } from "./routes/batches/retry-batch.ts";
import { retrieveBatchRoute } from "./routes/batches/retrieve-batch.ts";
import { createFileRoute } from "./routes/files/create-file.ts";
import { deleteFileRoute } from "./routes/files/delete-file.ts";
import { getContentRoute } from "./routes/files/get-content.ts";
import { listFilesRoute } from "./routes/files/list-files.ts";
import { retrieveFileRoute } from "./routes/files/retrieve-file.ts";
import { addPartRoute } from "./routes/uploads/add-part.ts";
import { cancelUploadRoute } from "./routes/uploads/cancel-upload.ts";
import { completeUploadRoute } from "./routes/uploads/complete-upload.ts";
import { createUploadRoute } from "./routes/uploads/create-upload.ts";
import { refuseMethod, refuseUnknownUrl, type RouteTable, tenantRoutes } from "./tenant-routes.ts";
import { limitRequests } from "./tiers/request-rate.ts";
import { createTenantLimits, type TenantLimits } from "./tiers/tenant-limits.ts";
import { createBatchWatch } from "./watch/batch-watch.ts";

const DASHBOARD_PATH = "/admin/queues";
export const ADMIN_API_PATH = "/admin/v1";

/** What the API needs from outside. */
export interface ApiDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly queues: Pick<JobQueues, "enqueue" | "enqueueSlices" | "findFailedLine" | "removeFailedLine" | "boards">;
  /** The checks of /readyz, by name. */
  readonly checks: Readonly<Record<string, Check>>;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** The password of the dashboard and the bearer token of the admin API. Null if both are off. */
  readonly adminKey: string | null;
  /** The completion windows that a batch can request. */
  readonly completionWindows: CompletionWindows;
  /**
   * The number of seconds that an input file is kept if its upload sets no expiry. Null if it is kept until it is
   * deleted.
   */
  readonly batchFileLifeSeconds: number | null;
  /** The limits of tenants. */
  readonly tiers: Tiers;
  /** Sends test events. The workers send all other events. */
  readonly webhooks: WebhookSender;
  /** True if webhook endpoints may be on this machine or in private networks. */
  readonly allowPrivateWebhooks: boolean;
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly isDraining: () => boolean;
}

/** Builds the app. API processes share no state except Postgres; each caches keys and tiers for up to 5 s. */
export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  // Polling clients expect the object, not a 304.
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("json spaces", 2);

  const keys = createKeyRing(deps);
  const limitsOf = createTenantLimits(deps);
  app.use(requestIds(deps.random), requestLog(deps.logger), requestMetrics(deps.metrics));
  app.use(healthRoutes(deps));
  app.all(["/healthz", "/readyz", "/metrics"], refuseMethod(["get"]));
  app.use(descriptionRoutes(deps.completionWindows));
  if (deps.adminKey !== null) {
    app.use(DASHBOARD_PATH, dashboard(deps, deps.adminKey, DASHBOARD_PATH));
    app.use(ADMIN_API_PATH, adminRoutes(deps.adminKey, adminTable(deps, keys)));
  }
  app.use("/v1", wireHeaders);
  app.use(tenantRoutes(limitRequests({ ...deps, limitsOf }, keys.authenticate), routeTable(deps, limitsOf)));
  app.use(refuseUnknownUrl, errorHandler(deps.logger));
  return app;
}

/** The routes of the admin API, by path below /admin/v1. */
export function adminTable(deps: ApiDeps, { forgetKeys }: KeyRing): AdminTable {
  return {
    "/keys": { get: listKeysRoute(deps), post: createKeyRoute(deps) },
    "/keys/:key_id": { delete: revokeKeyRoute({ ...deps, forgetKeys }) },
    "/tenants": { get: listTenantsRoute(deps) },
    "/tenants/:tenant": { get: retrieveTenantRoute(deps), post: setTenantRoute(deps) },
    "/batches/:batch_id/history": { get: anyBatchHistoryRoute(deps) },
    "/webhooks": { get: listWebhooksRoute(deps), post: createWebhookRoute(deps) },
    "/webhooks/:webhook_id": { delete: deleteWebhookRoute(deps) },
    "/webhooks/:webhook_id/test": { post: testWebhookRoute(deps) },
    "/webhooks/:webhook_id/deliveries": { get: listWebhookDeliveriesRoute(deps) },
  };
}

/** The routes for tenants, by path. */
export function routeTable(deps: ApiDeps, limitsOf: TenantLimits): RouteTable {
  const uploadedBytes = new Counter({
    name: "nightshift_uploaded_bytes_total",
    help: "Bytes of uploads that became files.",
    registers: [deps.metrics],
  });
  const watch = createBatchWatch(deps);
  return {
    "/v1/files": { get: listFilesRoute(deps), post: createFileRoute({ ...deps, limitsOf, uploadedBytes }) },
    "/v1/files/:file_id": { get: retrieveFileRoute(deps), delete: deleteFileRoute(deps) },
    "/v1/files/:file_id/content": { get: getContentRoute(deps) },
    "/v1/uploads": { post: createUploadRoute({ ...deps, limitsOf }) },
    "/v1/uploads/:upload_id/parts": { post: addPartRoute(deps) },
    "/v1/uploads/:upload_id/complete": { post: completeUploadRoute({ ...deps, limitsOf, uploadedBytes }) },
    "/v1/uploads/:upload_id/cancel": { post: cancelUploadRoute(deps) },
    "/v1/batches": { get: listBatchesRoute(deps), post: createBatchRoute({ ...deps, limitsOf }) },
    "/v1/batches/:batch_id": { get: retrieveBatchRoute(deps) },
    "/v1/batches/:batch_id/events": { get: batchEventsRoute({ ...deps, watch }) },
    "/v1/batches/:batch_id/results": { get: batchResultsRoute({ ...deps, watch }) },
    "/v1/batches/:batch_id/history": { get: batchHistoryRoute(deps) },
    "/v1/batches/:batch_id/cancel": { post: cancelBatchRoute(deps) },
    "/v1/batches/:batch_id/retry": { post: retryBatchRoute(deps) },
  };
}
