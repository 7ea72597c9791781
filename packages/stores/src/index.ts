/** Opens the stores that a process' configuration names: the half of the composition root that API and worker share. */
export { openStores, type OpenStoresOptions, type Stores } from "./open-stores.ts";
export { StoresVariables, type StoresConfig } from "./variables.ts";
