/**
 * All workers together stay below an upstream's requests per minute and use most of them, as counted by the upstream.
 */
import { beforeAll, expect, test } from "@jest/globals";
import { availableProfiles, type Simulator, type Stack, until } from "@nightshift/testing";
import { type Batch, chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const PER_MINUTE = 600;
const MINUTE_MS = 60_000;
/** More lines than one minute allows, so that the first minute uses the whole limit. */
const LINES = 700;

/** The result of a batch that is too long for one minute. */
interface Outcome {
  readonly batch: Batch;
  /** Requests within the first minute. */
  readonly inMinute: number;
  readonly throttled: number;
}

async function runBatch(stack: Stack, simulator: Simulator): Promise<Outcome> {
  const client = createBatchClient(stack);
  const lines = Array.from({ length: LINES }, (_, index) => chatLine(`line-${String(index)}`, "How many?"));
  const { id } = await client.create(await client.upload(lines.join("\n")));
  await until(async () => (await simulator.stats()).requests > 0, { message: "the first line is sent" });
  const begun = performance.now();
  const { requests } = await until(
    async () => {
      const stats = await simulator.stats();
      return performance.now() - begun >= MINUTE_MS && stats;
    },
    { message: "a minute has passed", timeoutMs: MINUTE_MS + 10_000, everyMs: 100 },
  );
  const batch = await client.finished(id);
  return { batch, inMinute: requests, throttled: (await simulator.stats()).byStatus["429"] ?? 0 };
}

const profiles = availableProfiles();
const stacks = profiles.map((profile) =>
  useStack({
    profile,
    workers: 2,
    env: { UPSTREAM_REQUESTS_PER_MINUTE: String(PER_MINUTE) },
    simulator: { SIMULATOR_REQUESTS_PER_MINUTE: String(PER_MINUTE), SIMULATOR_LATENCY_MS: "200" },
  }),
);
let outcomes: readonly Outcome[];

// Ten lines per second leave the machine idle, so all profiles run during the same minute.
beforeAll(async () => {
  outcomes = await Promise.all(stacks.map(({ stack, simulator }) => runBatch(stack(), simulator())));
});

test.each(profiles)("%s: the workers together stay below the rate limit and use at least 90 %% of it", (profile) => {
  const outcome = outcomes[profiles.indexOf(profile)];

  expect(outcome?.batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
  expect(outcome?.throttled).toBeLessThanOrEqual(LINES * 0.005);
  expect(outcome?.inMinute).toBeGreaterThanOrEqual(PER_MINUTE * 0.9);
});
