/** All operations that the API's description has. A test holds them to the route table, in both directions. */
import { keyOperations } from "../admin/keys/operations.ts";
import { tenantOperations } from "../admin/tenants/operations.ts";
import { webhookOperations } from "../admin/webhooks/operations.ts";
import { batchExtensionOperations } from "../routes/batches/extension-operations.ts";
import { batchOperations } from "../routes/batches/operations.ts";
import { fileOperations } from "../routes/files/operations.ts";
import { uploadOperations } from "../routes/uploads/operations.ts";
import type { Operation } from "./operation.ts";
import { serviceOperations } from "./service-operations.ts";

export const operations: readonly Operation[] = [
  ...fileOperations,
  ...uploadOperations,
  ...batchOperations,
  ...batchExtensionOperations,
  ...keyOperations,
  ...tenantOperations,
  ...webhookOperations,
  ...serviceOperations,
];
