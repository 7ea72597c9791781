import { expect, test } from "@jest/globals";
import { NO_LIMITS } from "@nightshift/domain";
import { RoutesError } from "./routes-error.ts";
import { parseRoutes, parseTiers } from "./routes-file.ts";

const upstreams = "upstreams: { a: { base_url: 'http://a/v1' } }\n";

function faultsOf(tiers: string): readonly string[] {
  try {
    parseTiers(upstreams + tiers, "file", {});
  } catch (error) {
    if (error instanceof RoutesError) return error.message.split("\n").slice(1);
    throw error;
  }
  return [];
}

test("reads tiers, each with the limits that it names", () => {
  const tiers = parseTiers(
    `${upstreams}tiers:
  default: { concurrent_batches: 2, queued_batches: 10, file_bytes: 1000, lines_per_batch: 50, stored_bytes: 5000, requests_per_minute: 600 }
  free: { requests_per_minute: 1 }`,
    "file",
    {},
  );

  expect(tiers.limitsOf(null)).toEqual({
    concurrentBatches: 2,
    queuedBatches: 10,
    fileBytes: 1000,
    linesPerBatch: 50,
    storedBytes: 5000,
    requestsPerMinute: 600,
  });
  expect(tiers.limitsOf("free")).toEqual({ ...NO_LIMITS, requestsPerMinute: 1 });
});

test("a file without tiers has no limits, and parseRoutes ignores tiers", () => {
  expect(parseTiers(upstreams, "file", {}).isUnlimited).toBe(true);
  expect(parseRoutes(`${upstreams}tiers: { free: {} }`, "file", {}).upstreams).toHaveLength(1);
});

test.each([
  ["tiers: [free]", "tiers (line 2): got a list, expected a map of names to tiers"],
  ["tiers: { Free: {} }", 'tiers.Free (line 2): got "Free", expected a name'],
  ["tiers: { free: 1 }", "tiers.free (line 2): got 1, expected a map of limits"],
  [
    "tiers: { free: { lines: 1 } }",
    "tiers.free.lines (line 2): got an unknown key, expected one of concurrent_batches",
  ],
  ["tiers: { free: { concurrent_batches: 0 } }", "expected a whole number of batches from 1 to"],
  ["tiers: { free: { lines_per_batch: 50001 } }", "expected a whole number of lines from 1 to 50000"],
  ["tiers: { free: { file_bytes: 1.5 } }", "expected a whole number of bytes"],
  ["tiers: { free: { queued_batches: 1 } }", "tiers.free.queued_batches (line 2): got queued_batches alone"],
])("refuses %s", (tiers, words) => {
  const faults = faultsOf(tiers);

  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(words);
});
