import { expect, test } from "@jest/globals";
import { BATCH_STATUSES, type BatchStatus, canMove, isFinal, sourcesOf } from "./batch-status.ts";

/** Returns all states that can be reached, in any number of moves. */
function reachable(from: BatchStatus, seen = new Set<BatchStatus>()): Set<BatchStatus> {
  for (const to of BATCH_STATUSES) {
    if (!canMove(from, to) || seen.has(to)) continue;
    seen.add(to);
    reachable(to, seen);
  }
  return seen;
}

const FINAL = ["failed", "completed", "expired", "cancelled"];

test("final states have no moves, and all other states have some", () => {
  expect(BATCH_STATUSES.filter(isFinal).sort()).toEqual([...FINAL].sort());
  for (const status of BATCH_STATUSES.filter(isFinal)) expect([...reachable(status)]).toEqual([]);
});

test("every state can be reached from validating, and a final state from every other state", () => {
  expect([...reachable("validating")].sort()).toEqual(
    BATCH_STATUSES.filter((status) => status !== "validating").sort(),
  );
  for (const status of BATCH_STATUSES.filter((each) => !isFinal(each))) {
    expect([...reachable(status)].some(isFinal)).toBe(true);
  }
});

test("a batch never returns to a state it has left", () => {
  for (const status of BATCH_STATUSES) expect(reachable(status).has(status)).toBe(false);
});

test("only validation leads to failed, and cancelling only to cancelled", () => {
  expect(sourcesOf("failed")).toEqual(["validating"]);
  expect([...reachable("cancelling")]).toEqual(["cancelled"]);
  expect(sourcesOf("cancelled")).toEqual(["cancelling"]);
  expect(sourcesOf("completed")).toEqual(["finalizing"]);
});
