/** Opens the stores that a process' configuration names: the half of the composition root that API and worker share. */
export { type BlobBackends, deleteBlobs, writeBlob } from "./blobs.ts";
export { openBackends, type OpenStoresOptions, type Stores } from "./open-backends.ts";
export { StoresVariables, type StoresConfig } from "./variables.ts";
