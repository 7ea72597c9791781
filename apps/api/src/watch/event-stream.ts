/** One reply as a stream of server-sent events (WHATWG HTML §9.2), to a client that may be slow or gone. */
import type { Response } from "express";

/** Below the 30 s after which the shortest-tempered proxies cut a silent connection. */
const HEARTBEAT_MS = 15_000;

/** A client that takes nothing for so long is gone, whatever its connection says. */
const STALLED_MS = 30_000;

/** How long a client should wait before it asks again when the stream breaks. */
const RETRY_MS = 1_000;

export interface StreamEvent {
  readonly name: string;
  readonly id: string;
  /** JSON of one line. */
  readonly data: string;
}

export interface EventStream {
  /** Sends an event; while the client is slow, only the newest one is kept. */
  send(event: StreamEvent): void;
  /** Ends the reply, after the newest event. */
  end(): void;
}

/** Begins the stream. `onClose` is called once, when the reply is over, whoever ended it; no timer is left then. */
export function openEventStream(response: Response, onClose: () => void): EventStream {
  response.setHeader("content-type", "text/event-stream; charset=utf-8");
  response.setHeader("cache-control", "no-cache, no-transform");
  // Nginx would gather events until its buffer is full.
  response.setHeader("x-accel-buffering", "no");

  let waiting: string | null = null;
  let stalled: NodeJS.Timeout | null = null;
  let isEnded = false;
  const watchForStall = (): void => {
    stalled ??= setTimeout(() => response.destroy(), STALLED_MS);
  };
  const write = (text: string): void => {
    if (!response.write(text)) watchForStall();
  };
  const heartbeat = setInterval(() => {
    if (stalled === null && !isEnded) write(": heartbeat\n\n");
  }, HEARTBEAT_MS);
  response.on("drain", () => {
    if (stalled !== null) clearTimeout(stalled);
    stalled = null;
    if (waiting !== null && !isEnded) write(waiting);
    waiting = null;
  });
  response.once("close", () => {
    clearInterval(heartbeat);
    if (stalled !== null) clearTimeout(stalled);
    onClose();
  });
  write(`retry: ${String(RETRY_MS)}\n\n`);
  return {
    send: ({ name, id, data }) => {
      const text = `id: ${id}\nevent: ${name}\ndata: ${data}\n\n`;
      if (isEnded) return;
      if (stalled === null) write(text);
      else waiting = text;
    },
    end: () => {
      if (isEnded) return;
      isEnded = true;
      response.end(waiting ?? undefined);
      waiting = null;
      // Nobody will hear of a drain any more: the connection has so long to take the rest.
      watchForStall();
    },
  };
}
