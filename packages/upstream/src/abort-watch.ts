/** Many waiting for the abort of one signal, which a slice's lines share, at the price of one listener on it. */

export interface AbortWatch {
  /** Calls `onAbort` when `signal` aborts. */
  add(signal: AbortSignal, onAbort: () => void): void;
  /** Forgets what was added. */
  remove(signal: AbortSignal, onAbort: () => void): void;
}

/**
 * Node warns of a leak beyond ten listeners and searches through them all for each that is added or removed. A listener
 * of ours stays on its signal for good, with an empty set, and goes with it.
 */
export function createAbortWatch(): AbortWatch {
  const waiting = new WeakMap<AbortSignal, Set<() => void>>();
  return {
    add(signal, onAbort) {
      let callbacks = waiting.get(signal);
      if (callbacks === undefined) {
        const created = (callbacks = new Set());
        waiting.set(signal, created);
        signal.addEventListener("abort", () => {
          for (const callback of created) callback();
        });
      }
      callbacks.add(onAbort);
    },
    remove(signal, onAbort) {
      waiting.get(signal)?.delete(onAbort);
    },
  };
}
