/**
 * Runs threads that validate input files. Parsing 200 MB must not share an event loop with 256 sockets, so the main
 * thread only moves chunks. One thread is kept for the next file, because its code is already compiled. This saves 0.3
 * s per 50,000 lines.
 */
import { on } from "node:events";
import { Worker } from "node:worker_threads";
import type { InputReport } from "@nightshift/domain";
import pLimit from "p-limit";
import type { InputRules, ValidationReply, ValidationRequest } from "./validation-thread.ts";

export interface ValidationThreads {
  /** Opens the file when a thread is free, and validates it as a stream. Rejects if the source or the thread fails. */
  validate(open: () => Promise<AsyncIterable<Uint8Array>>, rules: InputRules): Promise<InputReport>;
  close(): Promise<void>;
}

/** The maximum number of chunks that were sent to the thread and are not processed yet. */
const MAX_AHEAD = 8;
/**
 * Further files wait. Each thread takes 50 to 80 MB. With four threads and a million lines, a worker used over 400 MB.
 */
const MAX_THREADS = 2;
/**
 * Size of a thread's young generation, which V8 would let grow to 48 MB. Validation is not slower with this limit: see
 * row 13 of docs/performance.md.
 */
const THREAD_YOUNG_MB = 8;

export function createValidationThreads(): ValidationThreads {
  let spare: Worker | null = null;
  const limit = pLimit(MAX_THREADS);

  const take = (): Worker => {
    const thread =
      spare ??
      new Worker(new URL("./validation-thread.js", import.meta.url), {
        resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
      });
    spare = null;
    thread.ref();
    return thread;
  };

  return {
    validate: (open, rules) => limit(async () => validateNow(await open(), rules)),
    async close() {
      await spare?.terminate();
      spare = null;
    },
  };

  async function validateNow(source: AsyncIterable<Uint8Array>, rules: InputRules): Promise<InputReport> {
    const thread = take();
    try {
      const report = await validateIn(thread, source, rules);
      if (spare === null) {
        // An idle thread must not keep the process alive.
        thread.unref();
        spare = thread;
      } else {
        await thread.terminate();
      }
      return report;
    } catch (error) {
      // The thread is in the middle of a file and cannot take another one.
      await thread.terminate();
      throw error;
    }
  }
}

async function validateIn(thread: Worker, source: AsyncIterable<Uint8Array>, rules: InputRules): Promise<InputReport> {
  const ended = new AbortController();
  // Buffers replies while the source is slow, so that none is lost, and rejects if the thread fails.
  const replies = on(thread, "message", { signal: ended.signal });
  const nextReply = async (): Promise<ValidationReply> => {
    const [reply] = (await replies.next()).value as [ValidationReply];
    return reply;
  };
  const post = (request: ValidationRequest): void => {
    thread.postMessage(request, request.kind === "chunk" ? [request.bytes.buffer] : []);
  };
  try {
    post({ kind: "begin", rules });
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
