/** Measures the bytes of live buffers without garbage, so that a test of bounded memory is not flaky. */
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Returns the bytes of all buffers that are still referenced. */
export function liveBufferBytes(): number {
  collectGarbage();
  // A concurrent sweeper frees buffers. A second collection waits until it has freed those that the first one found.
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Waits until the buffers of earlier work are freed, which takes some turns of the event loop, then measures. */
export async function settledBufferBytes(): Promise<number> {
  let last = liveBufferBytes();
  for (let same = 0; same < 3;) {
    await setImmediate();
    const now = liveBufferBytes();
    same = now < last ? 0 : same + 1;
    last = Math.min(last, now);
  }
  return last;
}
