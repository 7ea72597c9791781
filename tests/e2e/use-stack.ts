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
  let stack: Stack | undefined;
  let simulator: Simulator | undefined;
  beforeAll(async () => {
    simulator = await startSimulatorProcess(options.simulator);
    const upstream = { UPSTREAM_BASE_URL: simulator.baseUrl, UPSTREAM_API_KEY: "sk-simulator" };
    stack = await startStack({ ...options, env: { ...upstream, ...options.env } });
  });
  afterAll(async () => {
    try {
      await stack?.stop();
    } finally {
      await simulator?.stop();
    }
  });
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("The stack is there from beforeAll on: use it inside tests and hooks.");
    return value;
  };
  return { stack: () => need(stack), simulator: () => need(simulator) };
}
