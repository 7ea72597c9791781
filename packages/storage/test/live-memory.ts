/** Measures how many bytes of buffers are alive, garbage not counted, so that a test of bounded memory cannot flicker. */
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of all buffers that something still refers to. */
export function liveBufferBytes(): number {
  collectGarbage();
  // Buffers are freed by the sweeper, beside us; a second collection waits for what the first one has found.
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** The same, once what earlier work has left behind is freed: it takes turns of the event loop to let go of everything. */
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
