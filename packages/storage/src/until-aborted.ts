/** Lets a signal stop the reading of a source, even one that never delivers its next item. */

/** Yields the items of `source`. Throws `signal.reason` once `signal` aborts. Closes the source when it stops early. */
export async function* untilAborted<T>(
  source: Iterable<T> | AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  signal.throwIfAborted();
  const items = (Symbol.asyncIterator in source ? source : each(source))[Symbol.asyncIterator]();
  let isExhausted = false;
  try {
    for (;;) {
      const next = await nextOrAbort(items, signal);
      if (next.done === true) {
        isExhausted = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // Not awaited, because a generator that hangs in its own `await` never returns.
    if (!isExhausted) void items.return?.().catch(() => undefined);
  }
}

async function* each<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  for await (const item of source) yield item;
}

/** Creates a promise for each item. One shared promise, raced against all items, would keep every item in memory. */
function nextOrAbort<T>(items: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T, unknown>> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    items
      .next()
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener("abort", onAbort);
      });
  });
}
