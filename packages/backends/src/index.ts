/** Opens Postgres, the queue and the object store: the part of the composition root that API and worker share. */
export { type BlobBackends, deleteBlobs, writeBlob } from "./blobs.ts";
export { openBackends, type OpenBackendsOptions, type Backends } from "./open-backends.ts";
export { BackendVariables, type BackendsConfig, batchFileLife, FileExpiryDays } from "./variables.ts";
