/** Starts the stacks that the benchmarks measure: one API, one worker, and the benchmark's own upstream. */
import { availableProfiles, type Profile, type Stack } from "@nightshift/testing/stack";
import type { BenchmarkContext, BenchmarkReport } from "../benchmark.ts";
import { openClient, type Client } from "../test-bed/client.ts";
import type { Upstream } from "../test-bed/test-bed.ts";

export const CONCURRENCY = 256;

/** The profiles that this machine can start, in the order of the table. Row 1 is the scaled profile. */
export function testableProfiles(): readonly Profile[] {
  const available = availableProfiles();
  return (["scaled", "one-machine"] as const).filter((profile) => available.includes(profile));
}

/** Measures the profiles one at a time and joins their reports. */
export async function onEachProfile(measure: (profile: Profile) => Promise<BenchmarkReport>): Promise<BenchmarkReport> {
  const reports: BenchmarkReport[] = [];
  for (const profile of testableProfiles()) reports.push(await measure(profile));
  return { figures: reports.flatMap(({ figures }) => figures), plots: reports.flatMap(({ plots }) => plots) };
}

export interface StackWithClient {
  readonly stack: Stack;
  readonly client: Client;
}

export interface StackOptions {
  readonly profile: Profile;
  readonly upstream: Upstream;
  readonly concurrency?: number;
  readonly workers?: number;
}

export async function startBenchmarkStack(context: BenchmarkContext, options: StackOptions): Promise<StackWithClient> {
  const { profile, upstream, concurrency = CONCURRENCY, workers = 1 } = options;
  const stack = await context.testBed.openStack({
    profile,
    apis: 1,
    workers,
    env: { UPSTREAM_BASE_URL: `${upstream.url}/v1`, UPSTREAM_CONCURRENCY: String(concurrency), ...context.env },
  });
  return { stack, client: openClient(stack.url, stack.key) };
}
