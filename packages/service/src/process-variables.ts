/** The variables that every server process reads in the same way. */
import { Type } from "@sinclair/typebox";
import { LOG_LEVELS } from "./logger.ts";

/** The time that requests and lines in flight have to finish on shutdown. */
export const ShutdownGraceSeconds = Type.Number({
  default: 30,
  minimum: 0,
  maximum: 3_600,
  description: "a number of seconds from 0 to 3600",
});

/** Properties to spread into the schema of a process' environment. */
export const ProcessVariables = {
  NIGHTSHIFT_LOG_LEVEL: Type.Union(
    LOG_LEVELS.map((level) => Type.Literal(level)),
    { default: "info", description: `one of ${LOG_LEVELS.join(", ")}` },
  ),
  NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: ShutdownGraceSeconds,
};
