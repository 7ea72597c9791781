/** A webhook receiver on the loopback interface, and the calls of the admin API that register it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll } from "@jest/globals";
import type { Stack } from "@nightshift/testing";

/** One request that the receiver got. */
export interface ReceivedWebhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The time of arrival in Unix seconds. */
  readonly at: number;
}

export interface WebhookReceiver {
  readonly url: () => string;
  /** Returns the requests about a batch, in the order of arrival. */
  readonly of: (batchId: string) => readonly ReceivedWebhook[];
  /**
   * Sets the statuses of the next replies. The last status is repeated. With status 0, no reply is sent. The default is
   * 200.
   */
  readonly answer: (...statuses: readonly number[]) => void;
}

/** Starts the receiver before the block's tests and stops it after the last test. */
export function useWebhookReceiver(): WebhookReceiver {
  const received: ReceivedWebhook[] = [];
  let statuses: readonly number[] = [200];
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        received.push({ headers: request.headers as Record<string, string>, body, at: Date.now() / 1_000 });
        const [status = 200, ...rest] = statuses;
        if (rest.length > 0) statuses = rest;
        if (status !== 0) response.writeHead(status).end("noted");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`,
    of: (batchId) => received.filter(({ body }) => body.includes(`"${batchId}"`)),
    answer: (...next) => {
      statuses = next;
    },
  };
}

/** The fields of a delivery in the admin API that tests check. */
export interface Delivery {
  readonly id: string;
  readonly type: string;
  readonly batch: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_status: number | null;
  readonly next_attempt_at: number | null;
}

export interface WebhookAdmin {
  readonly create: (url: string) => Promise<{ readonly id: string; readonly secret: string }>;
  readonly deliveries: (endpoint: string, batchId: string) => Promise<readonly Delivery[]>;
  readonly remove: (endpoint: string) => Promise<void>;
}

/** Creates a client of the admin API for one tenant. */
export function createWebhookAdmin(stack: Stack, tenant = "default"): WebhookAdmin {
  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const headers = { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" };
    const reply = await fetch(`${stack.url}/admin/v1/webhooks${path}`, { ...init, headers });
    if (!reply.ok) throw new Error(`${path} answered ${String(reply.status)}: ${await reply.text()}`);
    return reply.json();
  };
  return {
    create: async (url) => {
      const body = JSON.stringify({ tenant, url });
      return (await call("", { method: "POST", body })) as { id: string; secret: string };
    },
    deliveries: async (endpoint, batchId) => {
      const { data } = (await call(`/${endpoint}/deliveries`)) as { data: readonly Delivery[] };
      return data.filter(({ batch }) => batch === batchId);
    },
    remove: async (endpoint) => {
      await call(`/${endpoint}`, { method: "DELETE" });
    },
  };
}
