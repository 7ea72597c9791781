/** The simulator as a process: the upstream of black-box tests. It reports the requests that reached it. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { startChild } from "./child.ts";
import { programEnvironment } from "./environment.ts";

/** The counters of the simulator. */
export interface SimulatorStats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** The time of the first request in milliseconds since 1970, or null. */
  readonly firstAt: number | null;
  /** Requests with a new idempotency key. */
  readonly distinct: number;
  readonly repeated: number;
}

/** The requests of one line that reached the simulator. */
export interface SeenLine {
  readonly key: string;
  readonly count: number;
  readonly statuses: readonly number[];
}

/** A running simulator. */
export interface Simulator {
  /** Address without a path. */
  readonly url: string;
  /** The value for UPSTREAM_BASE_URL. */
  readonly baseUrl: string;
  readonly stats: () => Promise<SimulatorStats>;
  readonly seen: () => Promise<readonly SeenLine[]>;
  /** Changes settings of the running simulator and keeps the others. */
  readonly configure: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Returns the last body with this idempotency key. The setting keepBodies must be on. */
  readonly body: (key: string) => Promise<Buffer>;
  /** Resets the counters. */
  readonly forget: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a simulator on a free port. `variables` are its SIMULATOR_* settings. */
export async function startSimulatorProcess(variables: Readonly<Record<string, string>> = {}): Promise<Simulator> {
  const folder = await makeTemporaryFolder("simulator");
  const child = startChild({
    main: "apps/simulator/dist/main.js",
    env: programEnvironment({ PORT: "0", ...variables }, `simulator-${randomBytes(4).toString("hex")}`),
    logFile: path.join(folder, "simulator.log"),
  });
  const stop = async (): Promise<void> => {
    await child.stop(5000);
    await rm(folder, { recursive: true, force: true });
  };
  const url = await child.listening().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const call = async (name: string, init: RequestInit = {}): Promise<Response> => {
    const reply = await fetch(`${url}/_simulator/${name}`, { ...init, signal: AbortSignal.timeout(30_000) });
    if (!reply.ok) throw new Error(`The simulator answered ${String(reply.status)}: ${await reply.text()}`);
    return reply;
  };
  return {
    url,
    baseUrl: `${url}/v1`,
    stats: async () => (await (await call("stats")).json()) as SimulatorStats,
    seen: async () => {
      const text = await (await call("seen")).text();
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as SeenLine);
    },
    configure: async (settings) => {
      const headers = { "content-type": "application/json" };
      await call("settings", { method: "PUT", headers, body: JSON.stringify(settings) });
    },
    body: async (key) => Buffer.from(await (await call(`bodies?key=${encodeURIComponent(key)}`)).arrayBuffer()),
    forget: async () => {
      await call("seen", { method: "DELETE" });
    },
    stop,
  };
}
