/** All operations that the API's description has. A test holds them to the route table, in both directions. */
import { batchOperations } from "../routes/batches/operations.ts";
import { fileOperations } from "../routes/files/operations.ts";
import type { Operation } from "./operation.ts";
import { serviceOperations } from "./service-operations.ts";

export const operations: readonly Operation[] = [...fileOperations, ...batchOperations, ...serviceOperations];
