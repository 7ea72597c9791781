/** Lets many callbacks wait for the abort of one signal, which a slice's lines share, with a single listener. */

export interface AbortWatch {
  /** Calls `onAbort` when `signal` aborts. */
  add(signal: AbortSignal, onAbort: () => void): void;
  /** Removes a callback. */
  remove(signal: AbortSignal, onAbort: () => void): void;
}

/**
 * Node warns of a leak above ten listeners, and searches all of them to add or remove one. Our one listener stays on
 * its signal with an empty set, and is freed together with the signal.
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
