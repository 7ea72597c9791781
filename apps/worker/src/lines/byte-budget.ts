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
  isReading: boolean;
  wake: (() => void) | null;
}

export function createByteBudget(maxBytes: number, onRoom: () => void): ByteBudget {
  let held = 0;
  const reading = new Set<OpenReply>();

  const wakeReaders = (): void => {
    // A Set iterates in the order of insertion: the oldest reply is the first.
    let isOldest = true;
    for (const reply of reading) {
      if (held < maxBytes || isOldest) {
        reply.wake?.();
        reply.wake = null;
      }
      isOldest = false;
    }
    if (held < maxBytes) onRoom();
  };

  return {
    open() {
      const reply: OpenReply = { held: 0, isReading: true, wake: null };
      reading.add(reply);
      return {
        take(n) {
          reply.held += n;
          held += n;
          if (held < maxBytes || reading.values().next().value === reply) return undefined;
          return new Promise((resolve) => {
            reply.wake = resolve;
          });
        },
        finish() {
          reading.delete(reply);
          wakeReaders();
        },
        release() {
          reading.delete(reply);
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
