/** Helpers for tests: services, databases, fixtures, stacks of processes, and waiting without sleeping. */
export { createDatabase } from "./database.ts";
export { freePort } from "./free-port.ts";
export { takeRedisDatabase } from "./redis-database.ts";
export type { Role, StackProcess } from "./stack/environment.ts";
export { hasGrown, type MemoryThirds, recordMemory } from "./stack/memory-thirds.ts";
export { INSPECTABLE } from "./stack/settled-memory.ts";
export type { MemoryPeak } from "./stack/memory-watch.ts";
export { availableProfiles, type Profile } from "./stack/profile.ts";
export { truncate } from "./stack/queue-store.ts";
export { startSimulatorProcess, type SeenLine, type Simulator, type SimulatorStats } from "./stack/simulator.ts";
export { startStack, type Stack, type StackOptions } from "./stack/stack.ts";
export { type LostCommits, useLostCommits } from "./lost-commits.ts";
export { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
export { makeTemporaryFolder } from "./temporary-folder.ts";
export { testServices, type TestS3, type TestServices } from "./test-services.ts";
export { until, type UntilOptions } from "./until.ts";
export { useDatabase, type TestDatabase } from "./use-database.ts";
