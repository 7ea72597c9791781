/** The load on Postgres from many clients that follow one batch, and after they have left. */
import { get, type IncomingMessage } from "node:http";
import { expect, jest, test } from "@jest/globals";
import type { Db } from "@nightshift/db";
import { until } from "@nightshift/testing";
import { jsonOf, useApi } from "./api-under-test.ts";

const CLIENTS = 200;

let queries: jest.SpiedFunction<Db["query"]>;
const api = useApi(({ db }) => {
  queries = jest.spyOn(db, "query");
  return {};
});

/** Returns how often a watched batch was read. */
function readings(batchNo: number): number {
  const calls = queries.mock.calls as unknown as [string, [number[]]?][];
  return calls.filter(([text, values]) => text.startsWith("/* batches.progress */") && values?.[0].includes(batchNo))
    .length;
}

async function create(): Promise<{ id: string; number: number }> {
  const body = JSON.stringify({ input_file_id: "file-1", endpoint: "/v1/embeddings", completion_window: "24h" });
  const { id } = await jsonOf(await api.fetch("/v1/batches", { method: "POST", body }));
  return { id: String(id), number: api.advanced.at(-1) ?? -1 };
}

interface Stream {
  readonly reply: IncomingMessage;
  readonly text: () => string;
}

function listenTo(id: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: api.authorization("one") };
    get(`${api.url()}/v1/batches/${id}/events`, { headers, agent: false }, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      reply.on("error", () => undefined);
      resolve({ reply, text: () => text });
    }).on("error", reject);
  });
}

async function allSee(streams: readonly Stream[], what: string): Promise<void> {
  await until(() => streams.every(({ text }) => text().includes(what)), { message: `all streams have ${what}` });
}

test("two hundred clients of one batch cost one query per second and no database connection", async () => {
  const [watched, clock] = [await create(), await create()];
  const ticking = await listenTo(clock.id);
  const begunMs = performance.now();
  const streams = await Promise.all(Array.from({ length: CLIENTS }, () => listenTo(watched.id)));
  await allSee(streams, `"status":"validating"`);
  await api.fetch(`/v1/batches/${watched.id}/cancel`, { method: "POST" });
  await allSee(streams, `"status":"cancelling"`);
  const seconds = (performance.now() - begunMs) / 1000;

  // There is one query at once, and then one per second. This is an upper bound, even on a slow machine.
  expect(readings(watched.number)).toBeLessThanOrEqual(seconds + 2);
  const { totalCount, idleCount, waitingCount } = api.db();
  expect([totalCount - idleCount, waitingCount].every((busy) => busy <= 2)).toBe(true);

  for (const { reply } of streams) reply.destroy();
  await until(async () => (await api.metrics().metrics()).includes(`status="aborted"} ${String(CLIENTS)}`), {
    message: "the API has noticed that all of them are gone",
  });
  const before = readings(watched.number);
  const ticks = readings(clock.number);
  // The queries of the other batch act as the clock: the abandoned batch would have been read as often.
  await until(() => readings(clock.number) >= ticks + 3, { message: "the other batch was read three times" });
  expect(readings(watched.number)).toBe(before);
  ticking.reply.destroy();
});
