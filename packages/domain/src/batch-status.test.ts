import { expect, test } from "@jest/globals";
import { BATCH_STATUSES, type BatchStatus, canMove, isFinal, sourcesOf } from "./batch-status.ts";

/** All states that may follow, however many moves it takes. */
function reachable(from: BatchStatus, seen = new Set<BatchStatus>()): Set<BatchStatus> {
  for (const to of BATCH_STATUSES) {
    if (!canMove(from, to) || seen.has(to)) continue;
    seen.add(to);
    reachable(to, seen);
  }
  return seen;
}

const FINAL = ["failed", "completed", "expired", "cancelled"];

test("nothing follows a final state, and nothing else is final", () => {
  expect(BATCH_STATUSES.filter(isFinal).sort()).toEqual([...FINAL].sort());
  for (const status of BATCH_STATUSES.filter(isFinal)) expect([...reachable(status)]).toEqual([]);
});

test("every state comes after validating, and from each that is not final a final one can be reached", () => {
  expect([...reachable("validating")].sort()).toEqual(
    BATCH_STATUSES.filter((status) => status !== "validating").sort(),
  );
  for (const status of BATCH_STATUSES.filter((each) => !isFinal(each))) {
    expect([...reachable(status)].some(isFinal)).toBe(true);
  }
});

test("no state comes back", () => {
  for (const status of BATCH_STATUSES) expect(reachable(status).has(status)).toBe(false);
});

test("failed means that validation failed, and a cancel ends cancelled", () => {
  expect(sourcesOf("failed")).toEqual(["validating"]);
  expect([...reachable("cancelling")]).toEqual(["cancelled"]);
  expect(sourcesOf("cancelled")).toEqual(["cancelling"]);
  expect(sourcesOf("completed")).toEqual(["finalizing"]);
});
