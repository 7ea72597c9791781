/** Where the contract's rows are played: one stack a profile, and on it a tenant of its own for each client. */
import { beforeAll, afterAll } from "@jest/globals";
import { type Profile, type Stack, testServices } from "@nightshift/testing";
import { useStack } from "../use-stack.ts";
import { createWebhookAdmin, useWebhookReceiver } from "../webhook-receiver.ts";
import { createTenantKey } from "./tenants.ts";
import type { Client } from "./clients/client.ts";
import { createNodeClient } from "./clients/node-sdk.ts";
import { createPlainClient } from "./clients/plain-http.ts";
import { type PythonSdk, startPythonSdk } from "./clients/python-sdk.ts";
import { playing, type Plays, startPlays, UPSTREAM_FAULTS } from "./plays.ts";

export type ClientName = "plain HTTP" | "Node SDK" | "Python SDK";

/** The clients that there are here. */
export const CLIENTS: readonly ClientName[] = [
  "plain HTTP",
  "Node SDK",
  ...(testServices().python === null ? [] : (["Python SDK"] as const)),
];

/** The scene as the rows of one client see it; everything is there from beforeAll on. */
export interface Scene {
  /** Of the client, fit for the name of a tenant. */
  readonly name: string;
  readonly stack: () => Stack;
  /** The client, by the key of its own tenant. */
  readonly client: () => Client;
  /** The batches of this client that were begun before the first row. */
  readonly plays: () => Plays;
}

/** The scene of a whole profile. */
export interface Stage {
  readonly stack: () => Stack;
  readonly sceneOf: (name: ClientName) => Scene;
  /** Throws where there is no Python. */
  readonly python: () => PythonSdk;
}

interface Actor {
  readonly client: Client;
  readonly plays: Plays;
}

const tenantOf = (name: ClientName): string => name.toLowerCase().replace(" ", "-");

/** Starts stack, receiver and clients before the block's tests, and lets every client begin its batches. */
export function useStage(profile: Profile): Stage {
  const receiver = useWebhookReceiver();
  const { stack, simulator } = useStack({
    profile,
    // Of the APIs there are several, for no call may rely on having seen the one before.
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
  const actors = new Map<ClientName, Actor>();
  let sdk: PythonSdk | undefined;
  const python = (): PythonSdk => {
    if (sdk === undefined) throw new Error("There is no Python here, or not yet.");
    return sdk;
  };
  const clientOf = (name: ClientName, key: string): Client => {
    const { urls } = stack();
    if (name === "Python SDK") return python().client(key);
    return name === "Node SDK" ? createNodeClient({ urls, key }) : createPlainClient({ urls, key });
  };
  const actorOf = (name: ClientName): Actor => {
    const actor = actors.get(name);
    if (actor === undefined) throw new Error(`${name} is there from beforeAll on: use it inside tests and hooks.`);
    return actor;
  };

  beforeAll(async () => {
    const { python: program } = testServices();
    if (program !== null) sdk = startPythonSdk(program, stack());
    await simulator().configure({ faults: UPSTREAM_FAULTS });
    for (const name of CLIENTS) {
      const tenant = tenantOf(name);
      const client = clientOf(name, await createTenantKey(stack(), tenant));
      const { secret } = await createWebhookAdmin(stack(), tenant).create(receiver.url());
      actors.set(name, { client, plays: startPlays(stack(), client, { receiver, secret }) });
    }
  });
  afterAll(async () => {
    // Rows that were filtered out have waited for none of them.
    await Promise.allSettled([...actors.values()].flatMap(({ plays }) => playing(plays)));
    await sdk?.stop();
  });
  return {
    stack,
    python,
    sceneOf: (name) => ({
      name: tenantOf(name),
      stack,
      client: () => actorOf(name).client,
      plays: () => actorOf(name).plays,
    }),
  };
}
