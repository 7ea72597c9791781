import { expect, jest, test } from "@jest/globals";
import { getEventListeners } from "node:events";
import { createAbortWatch } from "./abort-watch.ts";

test("all that wait for a signal are called, but for those that no longer do, through one listener", () => {
  const abort = new AbortController();
  const watch = createAbortWatch();
  const waiting = Array.from({ length: 20 }, () => jest.fn());
  const gone = jest.fn();
  for (const callback of [...waiting, gone]) watch.add(abort.signal, callback);
  watch.remove(abort.signal, gone);

  expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
  abort.abort();

  for (const callback of waiting) expect(callback).toHaveBeenCalledTimes(1);
  expect(gone).not.toHaveBeenCalled();
});

test("signals do not know of each other", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const watch = createAbortWatch();
  const waiting = jest.fn();
  watch.add(one.signal, waiting);
  watch.add(other.signal, () => undefined);

  other.abort();

  expect(waiting).not.toHaveBeenCalled();
});
