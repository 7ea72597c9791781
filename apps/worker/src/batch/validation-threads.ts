/**
 * Threads that check input files, one kept for the next file: its code is compiled by then, which makes 50,000 lines a third of
 * a second quicker. 200 MB of parsing must not share an event loop with 256 sockets: the main thread only moves chunks.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { BatchEndpoint, InputReport } from "@nightshift/domain";
import type { ValidationReply, ValidationRequest } from "./validation-thread.ts";

export interface ValidationThreads {
  /** Checks a file as it streams by. Rejects with what the source rejects with, or when the thread fails. */
  validate(source: AsyncIterable<Uint8Array>, endpoint: BatchEndpoint): Promise<InputReport>;
  close(): Promise<void>;
}

/** Chunks on their way to the thread. */
const MAX_AHEAD = 8;

export function createValidationThreads(): ValidationThreads {
  let spare: Worker | null = null;

  const take = (): Worker => {
    const thread = spare ?? new Worker(new URL("./validation-thread.js", import.meta.url));
    spare = null;
    thread.ref();
    return thread;
  };

  return {
    async validate(source, endpoint) {
      const thread = take();
      try {
        const report = await validateIn(thread, source, endpoint);
        if (spare === null) {
          // Idle it keeps no process alive.
          thread.unref();
          spare = thread;
        } else {
          await thread.terminate();
        }
        return report;
      } catch (error) {
        // In the middle of a file: nobody can use it any more.
        await thread.terminate();
        throw error;
      }
    },
    async close() {
      await spare?.terminate();
      spare = null;
    },
  };
}

async function validateIn(
  thread: Worker,
  source: AsyncIterable<Uint8Array>,
  endpoint: BatchEndpoint,
): Promise<InputReport> {
  const ended = new AbortController();
  const failure = once(thread, "error", { signal: ended.signal }).then(([error]) => Promise.reject(error as Error));
  // Awaited below in each race; an error after the last one has nobody to tell.
  failure.catch(() => undefined);
  const nextReply = async (): Promise<ValidationReply> => {
    const [reply] = (await Promise.race([once(thread, "message"), failure])) as [ValidationReply];
    return reply;
  };
  const post = (request: ValidationRequest): void => {
    thread.postMessage(request, request.kind === "chunk" ? [request.bytes.buffer] : []);
  };
  try {
    post({ kind: "begin", endpoint });
    let ahead = 0;
    let isHopeless = false;
    for await (const chunk of source) {
      post({ kind: "chunk", bytes: Uint8Array.from(chunk) });
      ahead += 1;
      while (ahead >= MAX_AHEAD) {
        const reply = await nextReply();
        if (reply.kind === "report") continue;
        ahead -= 1;
        isHopeless ||= reply.isHopeless;
      }
      if (isHopeless) break;
    }
    post({ kind: "end" });
    for (;;) {
      const reply = await nextReply();
      if (reply.kind === "report") return { ...reply.report, index: Buffer.from(reply.report.index) };
    }
  } finally {
    ended.abort();
  }
}
