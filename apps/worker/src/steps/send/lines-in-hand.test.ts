/** Tests the count of lines without a reply, and the signal that aborts them. */
import { expect, test } from "@jest/globals";
import { createLinesInHand } from "./lines-in-hand.ts";

test("has a batch from its first line to its last reply", () => {
  const inHand = createLinesInHand();
  inHand.add(1);
  inHand.add(1);
  inHand.add(2);
  expect(inHand.batches()).toEqual([1, 2]);

  inHand.remove(1);
  expect(inHand.has(1)).toBe(true);

  inHand.remove(1);
  inHand.remove(1);
  expect(inHand.has(1)).toBe(false);
  expect(inHand.batches()).toEqual([2]);
});

test("aborts the lines of one batch, and not the lines of other batches", () => {
  const inHand = createLinesInHand();
  inHand.add(1);
  inHand.add(2);
  const signals = [inHand.signalOf(1), inHand.signalOf(2)];

  inHand.abort(1);
  inHand.abort(99);

  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test("aborts the lines of all batches", () => {
  const inHand = createLinesInHand();
  inHand.add(1);
  inHand.add(2);
  const signals = [inHand.signalOf(1), inHand.signalOf(2)];

  inHand.abort();

  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

test("returns an aborted signal for a batch without lines, and a new signal when the batch has lines again", () => {
  const inHand = createLinesInHand();
  expect(inHand.signalOf(1).aborted).toBe(true);

  inHand.add(1);
  inHand.abort(1);
  inHand.remove(1);
  inHand.add(1);

  expect(inHand.signalOf(1).aborted).toBe(false);
});
