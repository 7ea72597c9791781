/** Event streams to clients that read, read slowly, stop reading or disconnect. No test may leave a timer behind. */
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Response } from "express";
import { openEventStream } from "./event-stream.ts";

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate"] });
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

/** The buffer has room for one event while the client is not reading. */
const ROOM = 64;

/** A reply to a client that reads only when the test says so. */
function start() {
  const headers = new Map<string, string>();
  const taken: string[] = [];
  let take: (() => void) | null = null;
  let isReading = false;
  const reply = new Writable({
    highWaterMark: ROOM,
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      const next = (): void => {
        taken.push(text);
        done();
      };
      if (isReading) next();
      else take = next;
    },
  });
  const response = Object.assign(reply, { setHeader: (name: string, value: string) => headers.set(name, value) });
  const closed = jest.fn();
  const stream = openEventStream(response as unknown as Response, closed);
  return {
    headers,
    stream,
    response: reply,
    closed,
    text: () => taken.join(""),
    /** Makes the client read everything from now on. */
    read: async () => {
      isReading = true;
      take?.();
      take = null;
      await settled();
    },
    stop: () => {
      isReading = false;
    },
  };
}

/** Waits for pending stream callbacks. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const pass = (seconds: number): Promise<void> => jest.advanceTimersByTimeAsync(seconds * 1000);

const event = (n: number) => ({
  name: "progress",
  id: `id-${String(n)}`,
  data: JSON.stringify({ n, pad: "x".repeat(ROOM) }),
});

test("tells proxies not to buffer, transform or cache the stream", async () => {
  const { headers, response } = start();

  expect(Object.fromEntries(headers)).toEqual({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  });
  response.destroy();
  await settled();
});

test("a client that reads gets each event, and a heartbeat after 15 s without one", async () => {
  const { stream, read, text, closed } = start();
  await read();
  stream.send(event(1));
  await pass(15);
  await pass(15);
  stream.send(event(2));
  stream.end();
  await settled();

  const sent = [1, 2].map((n) => `id: id-${String(n)}\nevent: progress\ndata: ${event(n).data}\n\n`);
  expect(text()).toBe(`retry: 1000\n\n${sent[0] ?? ""}: heartbeat\n\n: heartbeat\n\n${sent[1] ?? ""}`);
  expect(closed).toHaveBeenCalledTimes(1);
});

test("a slow client gets only the newest event, and older events are not buffered", async () => {
  const { stream, read, response, text } = start();
  for (let n = 1; n <= 1000; n += 1) stream.send(event(n));
  await pass(29);
  // The buffer holds only the `retry` line and the first event. Later events and heartbeats are not buffered.
  expect(response.writableLength).toBeLessThan(3 * ROOM);
  await read();
  await pass(29);
  response.destroy();
  await settled();

  const ids = [...text().matchAll(/^id: id-(\d+)$/gm)].map((match) => Number(match[1]));
  expect(ids).toEqual([1, 1000]);
});

test("disconnects a client that reads nothing for 30 s, and stops watching its batch", async () => {
  const { stream, response, closed } = start();
  stream.send(event(1));
  await pass(29);
  expect(response.destroyed).toBe(false);
  await pass(1);
  await settled();

  expect(response.destroyed).toBe(true);
  expect(closed).toHaveBeenCalledTimes(1);
});

test("keeps a client that reads something within 30 s", async () => {
  const { stream, response, read, stop } = start();
  stream.send(event(1));
  await pass(29);
  await read();
  stop();
  stream.send(event(2));
  await pass(29);

  expect(response.destroyed).toBe(false);
  response.destroy();
  await settled();
});

test("disconnects a client that never reads the last event, so that the process can stop", async () => {
  const { stream, response, closed } = start();
  // This fits into the buffer, so the stream does not report that it is full.
  stream.end();
  stream.end();
  stream.send(event(1));
  await pass(30);
  await settled();

  expect(response.destroyed).toBe(true);
  expect(closed).toHaveBeenCalledTimes(1);
});

test("sends the newest event before the stream ends, even to a slow client", async () => {
  const { stream, read, text, closed } = start();
  for (let n = 1; n <= 3; n += 1) stream.send(event(n));
  stream.end();
  await read();
  await settled();

  expect(text()).toContain("id: id-3");
  expect(text()).not.toContain("id: id-2");
  expect(closed).toHaveBeenCalledTimes(1);
});
