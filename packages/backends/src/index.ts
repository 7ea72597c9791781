/** Opens the stores that a process' configuration names: the half of the composition root that API and worker share. */
export { openBackends, type OpenBackendsOptions, type Backends } from "./open-backends.ts";
export { BackendVariables, type BackendsConfig, batchFileLife, FileExpiryDays } from "./variables.ts";
