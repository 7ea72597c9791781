import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import OpenAI from "openai";
import { followBatch } from "./follow-batch.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/**
 * Returns a client of a server that replies with each given status (of a batch or of HTTP) in turn, and then repeats
 * the last status.
 */
async function clientOf(...answers: readonly (string | number)[]): Promise<OpenAI> {
  const left = [...answers];
  server = createServer((_request, response) => {
    const answer = left.length > 1 ? left.shift() : left[0];
    if (typeof answer === "number") response.writeHead(answer).end("{}");
    else response.setHeader("content-type", "application/json").end(JSON.stringify({ id: "batch_1", status: answer }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return new OpenAI({ apiKey: "x", baseURL: `http://127.0.0.1:${String(port)}/v1`, maxRetries: 0 });
}

const ignore = (): void => undefined;

test("reports each status until the batch has ended", async () => {
  const client = await clientOf("validating", "in_progress", "completed");
  const seen: string[] = [];

  const batch = await followBatch(client, "batch_1", {
    signal: new AbortController().signal,
    onChange: ({ status }) => seen.push(status),
    onUnavailable: ignore,
  });

  expect(batch.status).toBe("completed");
  expect(seen).toEqual(["validating", "in_progress", "completed"]);
});

test("waits for a server that is unavailable for a while", async () => {
  const client = await clientOf("in_progress", 503, 503, "completed");
  const outages: boolean[] = [];

  const batch = await followBatch(client, "batch_1", {
    signal: new AbortController().signal,
    onChange: ignore,
    onUnavailable: (reason) => outages.push(reason !== null),
  });

  expect(batch.status).toBe("completed");
  expect(outages).toEqual([true, true, false]);
});

test("rejects at once if the server refuses", async () => {
  const client = await clientOf(404);

  const following = followBatch(client, "batch_1", {
    signal: new AbortController().signal,
    onChange: ignore,
    onUnavailable: ignore,
  });

  await expect(following).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test("rejects when the signal aborts", async () => {
  const client = await clientOf("in_progress");
  const stopping = new AbortController();

  const following = followBatch(client, "batch_1", {
    signal: stopping.signal,
    onChange: () => {
      stopping.abort();
    },
    onUnavailable: ignore,
  });

  await expect(following).rejects.toThrow("aborted");
});
