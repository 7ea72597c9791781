/**
 * The keeper: a process that runs the services of a test run. It is separate from jest so that the services stop even
 * when jest is killed: the IPC channel to jest closes, and the keeper then stops the services.
 */
import { findCurl } from "../services/curl.ts";
import { startObjectStore } from "../services/object-store.ts";
import { startPostgres } from "../services/postgres.ts";
import { findPython } from "../services/python.ts";
import { startRedis } from "../services/redis.ts";
import type { RunningService } from "../services/service.ts";
import type { KeeperReport } from "./report.ts";

const running: RunningService[] = [];

async function startAll(): Promise<KeeperReport> {
  const runId = process.argv[2] ?? "";
  const outcomes = await Promise.allSettled([
    startPostgres(runId),
    startRedis(),
    startObjectStore(),
    findPython(),
    findCurl(),
  ]);
  const variables: Record<string, string> = {};
  const missing: string[] = [];
  const faults: unknown[] = [];
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") {
      faults.push(outcome.reason);
    } else if ("missing" in outcome.value) {
      missing.push(outcome.value.missing);
    } else {
      running.push(outcome.value);
      Object.assign(variables, outcome.value.variables);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, faults.map(String).join("\n"));
  return { kind: "started", variables, missing };
}

async function stopAll(): Promise<void> {
  const outcomes = await Promise.allSettled(running.map((service) => service.stop()));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") process.stderr.write(`A test service did not stop: ${String(outcome.reason)}\n`);
  }
}

const report = startAll().catch((error: unknown): KeeperReport => ({
  kind: "failed",
  message: error instanceof Error ? (error.stack ?? error.message) : String(error),
}));
let stopping: Promise<void> | undefined;
const stop = async (): Promise<void> => {
  await report;
  await stopAll();
  process.exit();
};
const stopOnce = (): void => {
  stopping ??= stop();
};
process.once("disconnect", stopOnce);
process.once("SIGTERM", stopOnce);
process.on("SIGINT", () => undefined); // jest decides when to stop

const outcome = await report;
// Jest may end before the services are up, and before this process listens for its disconnect.
if (process.connected) process.send?.(outcome);
else stopOnce();
