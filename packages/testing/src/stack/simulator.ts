/** The simulator as a process: the upstream of black-box tests. It reports the requests that reached it. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { startChild } from "./child.ts";
import { programEnvironment } from "./environment.ts";

/** What the simulator counted. */
export interface SimulatorStats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** When the first of them came, in milliseconds since 1970; null before. */
  readonly firstAt: number | null;
  /** Requests with a key that had not been seen before. */
  readonly distinct: number;
  readonly repeated: number;
}

/** One line as the simulator saw it. */
export interface SeenLine {
  readonly key: string;
  readonly count: number;
  readonly statuses: readonly number[];
}

/** A running simulator. */
export interface Simulator {
  /** Address without a path. */
  readonly url: string;
  /** What UPSTREAM_BASE_URL has to be. */
  readonly baseUrl: string;
  readonly stats: () => Promise<SimulatorStats>;
  readonly seen: () => Promise<readonly SeenLine[]>;
  /** Changes settings of the running simulator; those not named stay. */
  readonly configure: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
  /** The bytes of the last body with this idempotency key; kept only when the setting keepBodies says so. */
  readonly body: (key: string) => Promise<Buffer>;
  /** Forgets what was counted. */
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
