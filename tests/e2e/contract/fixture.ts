/** The fixture of the contract tests: one stack for each profile, and on it one tenant for each client. */
import { beforeAll, afterAll } from "@jest/globals";
import { type Profile, type Stack, testServices } from "@nightshift/testing";
import { useStack } from "../use-stack.ts";
import { createWebhookAdmin, useWebhookReceiver } from "../webhook-receiver.ts";
import { createTenantKey } from "./tenants.ts";
import type { Client } from "./clients/client.ts";
import { createNodeClient } from "./clients/node-sdk.ts";
import { createPlainClient } from "./clients/plain-http.ts";
import { type PythonSdk, startPythonSdk } from "./clients/python-sdk.ts";
import { type FixtureBatches, promisesOf, startFixtureBatches, UPSTREAM_FAULTS } from "./fixture-batches.ts";

export type ClientName = "plain HTTP" | "Node SDK" | "Python SDK";

/** The clients that this machine can run. */
export const CLIENTS: readonly ClientName[] = [
  "plain HTTP",
  "Node SDK",
  ...(testServices().python === null ? [] : (["Python SDK"] as const)),
];

/** The fixture as the rows of one client use it. Valid from beforeAll on. */
export interface ClientFixture {
  /** The client's name in a form that is valid in the name of a tenant. */
  readonly name: string;
  readonly stack: () => Stack;
  /** The client, with a key of its own tenant. */
  readonly client: () => Client;
  /** The client's batches, which started before the first row. */
  readonly batches: () => FixtureBatches;
}

/** The fixture of one profile. */
export interface ContractFixture {
  readonly stack: () => Stack;
  readonly forClient: (name: ClientName) => ClientFixture;
  /** Throws if this machine does not have Python. */
  readonly python: () => PythonSdk;
}

interface ClientState {
  readonly client: Client;
  readonly batches: FixtureBatches;
}

const tenantOf = (name: ClientName): string => name.toLowerCase().replace(" ", "-");

/** Starts the stack, the webhook receiver and the clients before the block's tests, and each client's batches. */
export function useContractFixture(profile: Profile): ContractFixture {
  const receiver = useWebhookReceiver();
  const { stack, simulator } = useStack({
    profile,
    // The scaled profile keeps its two APIs, so that no call can rely on reaching the API of the call before.
    workers: 1,
    env: {
      NIGHTSHIFT_COMPLETION_WINDOWS: "1h,24h,7d",
      NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: "true",
      NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: "1",
    },
    routes: (baseUrl) =>
      `upstreams: { simulator: { base_url: "${baseUrl}" } }\n` +
      "tiers: { hurried: { requests_per_minute: 1 }, small: { concurrent_batches: 1, queued_batches: 0 } }\n",
  });
  const states = new Map<ClientName, ClientState>();
  let sdk: PythonSdk | undefined;
  const python = (): PythonSdk => {
    if (sdk === undefined) throw new Error("This machine does not have Python, or beforeAll has not run yet.");
    return sdk;
  };
  const createClient = (name: ClientName, key: string): Client => {
    const { urls } = stack();
    if (name === "Python SDK") return python().client(key);
    return name === "Node SDK" ? createNodeClient({ urls, key }) : createPlainClient({ urls, key });
  };
  const stateOf = (name: ClientName): ClientState => {
    const state = states.get(name);
    if (state === undefined) throw new Error(`${name} is ready after beforeAll: use it inside tests and hooks.`);
    return state;
  };

  beforeAll(async () => {
    const { python: program } = testServices();
    if (program !== null) sdk = startPythonSdk(program, stack());
    await simulator().configure({ faults: UPSTREAM_FAULTS });
    for (const name of CLIENTS) {
      const tenant = tenantOf(name);
      const client = createClient(name, await createTenantKey(stack(), tenant));
      const { secret } = await createWebhookAdmin(stack(), tenant).create(receiver.url());
      states.set(name, { client, batches: startFixtureBatches(stack(), client, { receiver, secret }) });
    }
  });
  afterAll(async () => {
    // With a test filter, rows that did not run have not waited for their batches.
    await Promise.allSettled([...states.values()].flatMap(({ batches }) => promisesOf(batches)));
    await sdk?.stop();
  });
  return {
    stack,
    python,
    forClient: (name) => ({
      name: tenantOf(name),
      stack,
      client: () => stateOf(name).client,
      batches: () => stateOf(name).batches,
    }),
  };
}
