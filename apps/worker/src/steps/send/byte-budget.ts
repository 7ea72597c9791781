/**
 * Bounds the bytes of replies that are not recorded yet: from a reply's first bytes to its commit. Exhausted, the worker
 * starts no send and stops reading sockets, but for the oldest unfinished reply, so that something always gets done.
 */

export interface ByteBudget {
  /** A reply begins. Replies are as old as this call. */
  open(): ReplyBytes;
  /** True where no new line should be sent. */
  isExhausted(): boolean;
  /** Bytes held now. */
  held(): number;
}

export interface ReplyBytes {
  /** Takes `n` bytes that are in memory already; resolves when the next ones may be read. */
  take(n: number): Promise<void> | undefined;
  /** Nothing more is read; the bytes stay held until `release`. */
  finish(): void;
  /** The reply is recorded, or dropped. */
  release(): void;
}

interface OpenReply {
  held: number;
  wake: (() => void) | null;
}

/** `onRoom` is called when sends may go on after the budget was exhausted. */
export function createByteBudget(maxBytes: number, onRoom: () => void): ByteBudget {
  let held = 0;
  /** Replies that wait for permission: none, but when the budget is short. Looking at all for each line would cost 2 µs. */
  let waiting = 0;
  let wasExhausted = false;
  const reading = new Set<OpenReply>();

  const wakeReaders = (): void => {
    if (waiting > 0) wakeAllowed();
    if (wasExhausted && held < maxBytes) {
      wasExhausted = false;
      onRoom();
    }
  };

  const wakeAllowed = (): void => {
    // A Set iterates in the order of insertion: the oldest reply is the first.
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
          wakeReaders();
        },
        release() {
          stopReading(reply);
          held -= reply.held;
          reply.held = 0;
          wakeReaders();
        },
      };
    },
    isExhausted: () => held >= maxBytes,
    held: () => held,
  };
}
