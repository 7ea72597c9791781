/** All operations of the OpenAPI document. A test compares them with the route tables, in both directions. */
import { DEFAULT_COMPLETION_WINDOWS } from "@nightshift/domain";
import { keyOperations } from "../admin/keys/operations.ts";
import { tenantOperations } from "../admin/tenants/operations.ts";
import { webhookOperations } from "../admin/webhooks/operations.ts";
import { batchExtensionOperations } from "../routes/batches/extension-operations.ts";
import { batchOperationsWith } from "../routes/batches/operations.ts";
import { fileOperations } from "../routes/files/operations.ts";
import { uploadOperations } from "../routes/uploads/operations.ts";
import type { Operation } from "../operation.ts";
import { serviceOperations } from "./service-operations.ts";

/** Returns the operations of a server that offers these completion windows. */
export const operationsWith = (windows: Iterable<string>): readonly Operation[] => [
  ...fileOperations,
  ...uploadOperations,
  ...batchOperationsWith(windows),
  ...batchExtensionOperations,
  ...keyOperations,
  ...tenantOperations,
  ...webhookOperations,
  ...serviceOperations,
];

/** The operations with the default completion window, as in docs/openapi-batch-file.yaml. */
export const operations = operationsWith([DEFAULT_COMPLETION_WINDOWS]);
