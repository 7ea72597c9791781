/** The API as an Express app: what stands in front of what. Opens nothing and listens nowhere. */
import type { Db } from "@nightshift/db";
import type { CompletionWindows, RandomBytes, Tiers } from "@nightshift/domain";
import type { JobQueues } from "@nightshift/queue";
import { type Check, Counter, healthRoutes, type Logger, type Registry } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import type { WebhookSender } from "@nightshift/webhooks";
import express, { type Express } from "express";
import { adminRoutes, type AdminTable } from "./admin/admin-api.ts";
import { dashboard } from "./admin/dashboard.ts";
import { createKey } from "./admin/keys/create-key.ts";
import { listKeys } from "./admin/keys/list-keys.ts";
import { revokeKey } from "./admin/keys/revoke-key.ts";
import { listTenants } from "./admin/tenants/list-tenants.ts";
import { retrieveTenant, setTenant } from "./admin/tenants/tenant.ts";
import { webhookTable } from "./admin/webhooks/webhook-table.ts";
import { createKeyRing, type KeyRing } from "./middleware/authenticate.ts";
import { errorHandler } from "./middleware/error-handler.ts";
import { requestIds, requestLog, requestMetrics } from "./middleware/request-context.ts";
import { wireHeaders } from "./middleware/wire-headers.ts";
import { descriptionRoutes } from "./openapi/routes.ts";
import { batchEvents } from "./routes/batches/batch-events.ts";
import { anyBatchHistory, batchHistory } from "./routes/batches/batch-history.ts";
import { batchResults } from "./routes/batches/batch-results.ts";
import { cancelBatch } from "./routes/batches/cancel-batch.ts";
import { createBatch } from "./routes/batches/create-batch.ts";
import { listBatches } from "./routes/batches/list-batches.ts";
import { retryBatch } from "./routes/batches/retry-batch.ts";
import { retrieveBatch } from "./routes/batches/retrieve-batch.ts";
import { createFile } from "./routes/files/create-file.ts";
import { deleteFile } from "./routes/files/delete-file.ts";
import { getContent } from "./routes/files/get-content.ts";
import { listFiles } from "./routes/files/list-files.ts";
import { retrieveFile } from "./routes/files/retrieve-file.ts";
import { addPart } from "./routes/uploads/add-part.ts";
import { cancelUpload } from "./routes/uploads/cancel-upload.ts";
import { completeUpload } from "./routes/uploads/complete-upload.ts";
import { createUpload } from "./routes/uploads/create-upload.ts";
import { refuseMethod, refuseUnknownUrl, type RouteTable, tenantRoutes } from "./tenant-routes.ts";
import { limitRequests } from "./tiers/request-rate.ts";
import { createTenantLimits, type TenantLimits } from "./tiers/tenant-limits.ts";
import { createBatchWatch } from "./watch/batch-watch.ts";

const DASHBOARD_PATH = "/admin/queues";
export const ADMIN_API_PATH = "/admin/v1";

/** All that the API needs of the world outside. */
export interface ApiDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly queues: Pick<JobQueues, "enqueue" | "enqueueSlices" | "findFailedLine" | "removeFailedLine" | "boards">;
  /** For /readyz, by name. */
  readonly checks: Readonly<Record<string, Check>>;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Password of the dashboard; null: there is none. */
  readonly adminKey: string | null;
  /** What a batch may ask for. */
  readonly completionWindows: CompletionWindows;
  /** Seconds that an input file lives where its upload does not say it; null: for ever. */
  readonly batchFileLifeSeconds: number | null;
  /** What tenants may have. */
  readonly tiers: Tiers;
  /** For test events; the workers send the others. */
  readonly webhooks: WebhookSender;
  /** Whether endpoints may be on this machine and in private networks. */
  readonly allowPrivateWebhooks: boolean;
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly isDraining: () => boolean;
}

/** Builds the app. It keeps nothing that another API process would have to know, but for keys and tiers, which it trusts for 5 s. */
export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  // Polling clients want the object, never a 304.
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

/** Paths below /admin/v1. */
export function adminTable(deps: ApiDeps, { forgetKeys }: KeyRing): AdminTable {
  return {
    "/keys": { get: listKeys(deps), post: createKey(deps) },
    "/keys/:key_id": { delete: revokeKey({ ...deps, forgetKeys }) },
    "/tenants": { get: listTenants(deps) },
    "/tenants/:tenant": { get: retrieveTenant(deps), post: setTenant(deps) },
    "/batches/:batch_id/history": { get: anyBatchHistory(deps) },
    ...webhookTable(deps),
  };
}

/** The routes of tenants. */
export function routeTable(deps: ApiDeps, limitsOf: TenantLimits): RouteTable {
  const uploadedBytes = new Counter({
    name: "nightshift_uploaded_bytes_total",
    help: "Bytes of uploads that became files.",
    registers: [deps.metrics],
  });
  const watch = createBatchWatch(deps);
  return {
    "/v1/files": { get: listFiles(deps), post: createFile({ ...deps, limitsOf, uploadedBytes }) },
    "/v1/files/:file_id": { get: retrieveFile(deps), delete: deleteFile(deps) },
    "/v1/files/:file_id/content": { get: getContent(deps) },
    "/v1/uploads": { post: createUpload({ ...deps, limitsOf }) },
    "/v1/uploads/:upload_id/parts": { post: addPart(deps) },
    "/v1/uploads/:upload_id/complete": { post: completeUpload({ ...deps, limitsOf, uploadedBytes }) },
    "/v1/uploads/:upload_id/cancel": { post: cancelUpload(deps) },
    "/v1/batches": { get: listBatches(deps), post: createBatch({ ...deps, limitsOf }) },
    "/v1/batches/:batch_id": { get: retrieveBatch(deps) },
    "/v1/batches/:batch_id/events": { get: batchEvents({ ...deps, watch }) },
    "/v1/batches/:batch_id/results": { get: batchResults({ ...deps, watch }) },
    "/v1/batches/:batch_id/history": { get: batchHistory(deps) },
    "/v1/batches/:batch_id/cancel": { post: cancelBatch(deps) },
    "/v1/batches/:batch_id/retry": { post: retryBatch(deps) },
  };
}
