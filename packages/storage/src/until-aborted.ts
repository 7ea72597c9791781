/** Lets a signal end the reading of a source, even one that never delivers its next chunk. */

/** The chunks of `source`; throws `signal.reason` once `signal` aborts, and closes the source when it is left early. */
export async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  signal.throwIfAborted();
  const chunks = source[Symbol.asyncIterator]();
  let isExhausted = false;
  try {
    for (;;) {
      const next = await nextOrAbort(chunks, signal);
      if (next.done === true) {
        isExhausted = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // Not awaited: a generator that hangs in its own `await` would never answer.
    if (!isExhausted) void chunks.return?.().catch(() => undefined);
  }
}

/** A promise of its own for each chunk: one shared promise raced against them all would keep every chunk in memory. */
function nextOrAbort(
  chunks: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<IteratorResult<Uint8Array, unknown>> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    chunks
      .next()
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener("abort", onAbort);
      });
  });
}
