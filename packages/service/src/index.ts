/**
 * Provides what every process of Nightshift needs: configuration, log, metrics, health, HTTP server, and graceful
 * shutdown.
 */
export { createBackoff } from "./backoff.ts";
export { ConfigError, readConfig, type ConfigFault } from "./config.ts";
export { withDeadline } from "./deadline.ts";
export { describeError } from "./describe-error.ts";
export { healthRoutes, type Check, type HealthOptions } from "./health.ts";
export { KNOWN_VARIABLES } from "./known-variables.ts";
export { isListening, type Lifecycle } from "./lifecycle.ts";
export type { AnswerFault, ConnectionFault } from "./connection-faults.ts";
export { listen, PortTakenError, type Listening } from "./listen.ts";
export { createLogger, LOG_LEVELS, type LogDestination, type Logger, type LogLevel } from "./logger.ts";
export { createMetrics, mergeMetrics, type MetricsOfProcess } from "./metrics.ts";
export { ProcessVariables, ShutdownGraceSeconds } from "./process-variables.ts";
export { runProcess } from "./run-process.ts";
export { StartupError, startupErrorOf } from "./startup-error.ts";
export { superviseProcess, type SupervisedProcess, type SuperviseOptions } from "./supervised-process.ts";
export { Counter, Gauge, Histogram, Registry } from "prom-client";
