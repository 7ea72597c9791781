/** A running Nightshift with a simulator as its upstream, for the tests of one describe block. */
import { afterAll, beforeAll } from "@jest/globals";
import { type Simulator, type Stack, type StackOptions, startSimulatorProcess, startStack } from "@nightshift/testing";

/** Both are there from beforeAll on. */
export interface StackInUse {
  readonly stack: () => Stack;
  readonly simulator: () => Simulator;
}

/** Starts a stack before the block's first test and stops it after the last. `simulator` holds SIMULATOR_* variables. */
export function useStack(
  options: StackOptions & { readonly simulator?: Readonly<Record<string, string>> },
): StackInUse {
  const starting: { simulator?: Promise<Simulator>; stack?: Promise<Stack> } = {};
  const started: { simulator?: Simulator; stack?: Stack } = {};
  beforeAll(async () => {
    started.simulator = await (starting.simulator = startSimulatorProcess(options.simulator));
    const upstream = { UPSTREAM_BASE_URL: started.simulator.baseUrl, UPSTREAM_API_KEY: "sk-simulator" };
    started.stack = await (starting.stack = startStack({ ...options, env: { ...upstream, ...options.env } }));
  });
  afterAll(async () => {
    // What a hook that timed out had begun is waited for as well: nothing may be left running.
    const [stack, simulator] = await Promise.allSettled([starting.stack, starting.simulator]);
    try {
      if (stack.status === "fulfilled") await stack.value?.stop();
    } finally {
      if (simulator.status === "fulfilled") await simulator.value?.stop();
    }
  });
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("The stack is there from beforeAll on: use it inside tests and hooks.");
    return value;
  };
  return { stack: () => need(started.stack), simulator: () => need(started.simulator) };
}
