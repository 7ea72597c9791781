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

/** A client of a server that answers with one status (of a batch, or of HTTP) after the other, and goes on with the last. */
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

test("each state is shown until one is final", async () => {
  const client = await clientOf("validating", "in_progress", "completed");
  const seen: string[] = [];

  const batch = await followBatch(client, "batch_1", {
    signal: new AbortController().signal,
    onChange: ({ status }) => seen.push(status),
    onAway: ignore,
  });

  expect(batch.status).toBe("completed");
  expect(seen).toEqual(["validating", "in_progress", "completed"]);
});

test("a server that is away for a while is waited for", async () => {
  const client = await clientOf("in_progress", 503, 503, "completed");
  const away: boolean[] = [];

  const batch = await followBatch(client, "batch_1", {
    signal: new AbortController().signal,
    onChange: ignore,
    onAway: (reason) => away.push(reason !== null),
  });

  expect(batch.status).toBe("completed");
  expect(away).toEqual([true, true, false]);
});

test("a refusal is not waited out", async () => {
  const client = await clientOf(404);

  const following = followBatch(client, "batch_1", {
    signal: new AbortController().signal,
    onChange: ignore,
    onAway: ignore,
  });

  await expect(following).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test("an aborted signal ends the waiting", async () => {
  const client = await clientOf("in_progress");
  const stopping = new AbortController();

  const following = followBatch(client, "batch_1", {
    signal: stopping.signal,
    onChange: () => {
      stopping.abort();
    },
    onAway: ignore,
  });

  await expect(following).rejects.toThrow("aborted");
});
