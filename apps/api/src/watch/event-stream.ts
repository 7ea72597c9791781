/** A stream of server-sent events (WHATWG HTML §9.2) to a client that may be slow or gone. */
import type { Response } from "express";

/** The strictest proxies close a connection after 30 s without data. */
const HEARTBEAT_MS = 15_000;

/** A client that reads nothing for this long counts as gone, even if its connection is open. */
const STALLED_MS = 30_000;

/** The time that a client should wait before it reconnects. */
const RETRY_MS = 1_000;

export interface StreamEvent {
  readonly name: string;
  readonly id: string;
  /** JSON in one line. */
  readonly data: string;
}

export interface EventStream {
  /** Sends an event. While the client is slow, only the newest event is kept. */
  send(event: StreamEvent): void;
  /** Sends the newest event, and ends the reply. */
  end(): void;
}

/**
 * Begins the stream. Calls `onClose` once, when the server or the client has ended the stream. No timer is left then.
 */
export function openEventStream(response: Response, onClose: () => void): EventStream {
  response.setHeader("content-type", "text/event-stream; charset=utf-8");
  response.setHeader("cache-control", "no-cache, no-transform");
  // Nginx would buffer events until its buffer is full.
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
      // `drain` no longer fires. The client has STALLED_MS to read the buffered bytes.
      watchForStall();
    },
  };
}
