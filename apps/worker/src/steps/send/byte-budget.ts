/**
 * Bounds the bytes of unrecorded replies. A reply counts from its first bytes to the commit of its result. When the
 * budget is exhausted, the worker sends no new line and stops reading sockets. Only the oldest unfinished reply is
 * still read, so that work never stops entirely.
 */

export interface ByteBudget {
  /** Opens a reply. A reply that is opened earlier counts as older. */
  open(): ReplyBytes;
  /** True if no new line should be sent. */
  isExhausted(): boolean;
  /** Returns the number of bytes that are held now. */
  held(): number;
  /** Calls `listener` whenever an exhausted budget has room again. */
  onRoom(listener: () => void): void;
}

export interface ReplyBytes {
  /** Counts `n` bytes that are already in memory. Resolves when the next bytes may be read. */
  take(n: number): Promise<void> | undefined;
  /** Ends the reading of this reply. Its bytes stay held until `release`. */
  finish(): void;
  /** Frees the bytes of a reply that is recorded or dropped. */
  release(): void;
}

interface OpenReply {
  held: number;
  wake: (() => void) | null;
}

export function createByteBudget(maxBytes: number): ByteBudget {
  let held = 0;
  /** The number of waiting replies: 0 while the budget has room. Checking all replies for each line would cost 2 µs. */
  let waiting = 0;
  let wasExhausted = false;
  const reading = new Set<OpenReply>();
  const listeners: (() => void)[] = [];

  const wakeAllowed = (): void => {
    // A Set iterates in insertion order, so the oldest reply comes first.
    let isOldest = true;
    for (const reply of reading) {
      if (reply.wake !== null && (held < maxBytes || isOldest)) {
        reply.wake();
        reply.wake = null;
        waiting -= 1;
      }
      isOldest = false;
    }
  };

  const resume = (): void => {
    if (waiting > 0) wakeAllowed();
    if (wasExhausted && held < maxBytes) {
      wasExhausted = false;
      for (const listener of listeners) listener();
    }
  };

  const stopReading = (reply: OpenReply): void => {
    reading.delete(reply);
    if (reply.wake !== null) waiting -= 1;
    reply.wake = null;
  };

  return {
    open() {
      const reply: OpenReply = { held: 0, wake: null };
      reading.add(reply);
      return {
        take(n) {
          reply.held += n;
          held += n;
          wasExhausted ||= held >= maxBytes;
          if (held < maxBytes || reading.values().next().value === reply) return undefined;
          waiting += 1;
          return new Promise((resolve) => {
            reply.wake = resolve;
          });
        },
        finish() {
          stopReading(reply);
          resume();
        },
        release() {
          stopReading(reply);
          held -= reply.held;
          reply.held = 0;
          resume();
        },
      };
    },
    isExhausted: () => held >= maxBytes,
    held: () => held,
    onRoom(listener) {
      listeners.push(listener);
    },
  };
}
