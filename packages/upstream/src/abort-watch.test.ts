import { expect, jest, test } from "@jest/globals";
import { getEventListeners } from "node:events";
import { createAbortWatch } from "./abort-watch.ts";

test("calls all callbacks except removed ones, with one listener on the signal", () => {
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

test("does not call the callbacks of another signal", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const watch = createAbortWatch();
  const waiting = jest.fn();
  watch.add(one.signal, waiting);
  watch.add(other.signal, () => undefined);

  other.abort();

  expect(waiting).not.toHaveBeenCalled();
});
