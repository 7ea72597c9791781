/** Runs Nightshift with a simulator as its upstream for the tests of one describe block. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll } from "@jest/globals";
import {
  makeTemporaryFolder,
  type Simulator,
  type Stack,
  type StackOptions,
  startSimulatorProcess,
  startStack,
} from "@nightshift/testing";

/** The stack and the simulator are available from beforeAll on. */
export interface StackInUse {
  readonly stack: () => Stack;
  readonly simulator: () => Simulator;
}

/** The options of a stack and of its upstream. */
export interface StackInUseOptions extends StackOptions {
  /** SIMULATOR_* variables. */
  readonly simulator?: Readonly<Record<string, string>>;
  /**
   * Returns the text of a NIGHTSHIFT_CONFIG for the simulator at `baseUrl`, for tests that need more than UPSTREAM_*
   * variables.
   */
  readonly routes?: (baseUrl: string) => string | Promise<string>;
}

/** Starts a stack before the block's first test and stops it after the last. */
export function useStack(options: StackInUseOptions): StackInUse {
  const starting: { simulator?: Promise<Simulator>; stack?: Promise<Stack> } = {};
  const started: { simulator?: Simulator; stack?: Stack; folder?: string } = {};
  const variablesFor = async (baseUrl: string): Promise<Record<string, string>> => {
    if (options.routes === undefined) return { UPSTREAM_BASE_URL: baseUrl, UPSTREAM_API_KEY: "sk-simulator" };
    started.folder = await makeTemporaryFolder("routes");
    const file = path.join(started.folder, "nightshift.yaml");
    await writeFile(file, await options.routes(baseUrl));
    return { NIGHTSHIFT_CONFIG: file };
  };
  beforeAll(async () => {
    started.simulator = await (starting.simulator = startSimulatorProcess(options.simulator));
    const upstream = await variablesFor(started.simulator.baseUrl);
    started.stack = await (starting.stack = startStack({ ...options, env: { ...upstream, ...options.env } }));
  });
  afterAll(async () => {
    // Also waits for processes whose start timed out, because no process may be left running.
    const [stack, simulator] = await Promise.allSettled([starting.stack, starting.simulator]);
    try {
      if (stack.status === "fulfilled") await stack.value?.stop();
    } finally {
      if (simulator.status === "fulfilled") await simulator.value?.stop();
      if (started.folder !== undefined) await rm(started.folder, { recursive: true, force: true });
    }
  });
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("The stack starts in beforeAll: use it inside tests and hooks.");
    return value;
  };
  return { stack: () => need(started.stack), simulator: () => need(started.simulator) };
}
