/** Input object → InputReport. Small files are checked on the spot, large ones in a thread of their own. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createInputValidator, type BatchEndpoint, type InputReport } from "@nightshift/domain";
import type { ObjectStore } from "@nightshift/storage";
import type { ValidationReply } from "./validation-thread.ts";

/** Up to here checking takes less than starting a thread does (about 30 ms). */
const INLINE_BYTES = 256 * 1024;
/** Chunks on their way to the thread. */
const MAX_AHEAD = 8;

/** Rejects with ObjectNotFoundError, or when the store is away; nothing was changed then. */
export async function validateInput(
  objects: ObjectStore,
  input: { blob: string; bytes: number },
  endpoint: BatchEndpoint,
): Promise<InputReport> {
  if (input.bytes > INLINE_BYTES) return validateInThread(objects, input.blob, endpoint);
  const validator = createInputValidator(endpoint);
  validator.push(await objects.read(input.blob));
  return validator.end();
}

/** 200 MB of parsing must not share an event loop with 256 sockets: the main thread only moves chunks. */
async function validateInThread(objects: ObjectStore, blob: string, endpoint: BatchEndpoint): Promise<InputReport> {
  const thread = new Worker(new URL("./validation-thread.js", import.meta.url), { workerData: { endpoint } });
  const failure = new Promise<never>((_resolve, reject) => {
    thread.once("error", reject);
  });
  // Awaited below in each race; an error after the last one has nobody to tell.
  failure.catch(() => undefined);
  const nextReply = async (): Promise<ValidationReply> => {
    const [reply] = (await Promise.race([once(thread, "message"), failure])) as [ValidationReply];
    return reply;
  };
  try {
    let ahead = 0;
    let isHopeless = false;
    for await (const chunk of await objects.openRead(blob)) {
      const copy = Uint8Array.from(chunk as Buffer);
      thread.postMessage(copy, [copy.buffer]);
      ahead += 1;
      while (ahead >= MAX_AHEAD) {
        const reply = await nextReply();
        if (reply.kind === "taken") {
          ahead -= 1;
          isHopeless ||= reply.isHopeless;
        }
      }
      if (isHopeless) break;
    }
    thread.postMessage(null);
    for (;;) {
      const reply = await nextReply();
      if (reply.kind === "report") return { ...reply.report, index: Buffer.from(reply.report.index) };
    }
  } finally {
    await thread.terminate();
  }
}
