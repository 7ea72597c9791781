/** Stacks of processes for programs that are not tests, such as benchmarks. Nothing here needs jest. */
export { findProcesses, peakRssBytes, type MarkedProcess } from "../processes.ts";
export { redisUsedBytes } from "../redis-database.ts";
export { makeTemporaryFolder } from "../temporary-folder.ts";
export { testServices } from "../test-services.ts";
export { until } from "../until.ts";
export { startChild, type Child } from "./child.ts";
export { programEnvironment } from "./environment.ts";
export { availableProfiles, type Profile } from "./profile.ts";
export { startStack, type Stack, type StackOptions } from "./stack.ts";
