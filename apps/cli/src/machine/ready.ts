/** Waits until a process of ours says that all it depends on is there. */
import { setTimeout as delay } from "node:timers/promises";
import { StartupError } from "@nightshift/service";

const POLL_MS = 50;
const TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** Resolves once `url`/readyz answers 200. Rejects with what it answered last after 60 s, and when `signal` aborts. */
export async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const fault = await askReady(url);
    signal.throwIfAborted();
    if (fault === null) return;
    if (performance.now() > deadline) throw new StartupError(`${url}/readyz does not become ready: ${fault}`);
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Null when ready, otherwise why not. */
async function askReady(url: string): Promise<string | null> {
  try {
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const body = await reply.text();
    return reply.ok ? null : body;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
