/** The two profiles as the benchmarks run them: one API, one worker, an upstream of the benchmark's. */
import { availableProfiles, type Profile, type Stack } from "@nightshift/testing/stack";
import type { Outcome, Session } from "../benchmark.ts";
import { openClient, type Client } from "../setting/client.ts";
import type { Upstream } from "../setting/laboratory.ts";

export const CONCURRENCY = 256;

/** The profiles that can be started here, in the order of the table: row 1 is the scaled one. */
export function profilesHere(): readonly Profile[] {
  const available = availableProfiles();
  return (["scaled", "one-machine"] as const).filter((profile) => available.includes(profile));
}

/** Measures one profile after the other. */
export async function onEachProfile(measure: (profile: Profile) => Promise<Outcome>): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const profile of profilesHere()) outcomes.push(await measure(profile));
  return { figures: outcomes.flatMap(({ figures }) => figures), plots: outcomes.flatMap(({ plots }) => plots) };
}

export interface Bench {
  readonly stack: Stack;
  readonly client: Client;
}

export interface BenchOptions {
  readonly profile: Profile;
  readonly upstream: Upstream;
  readonly concurrency?: number;
  readonly workers?: number;
}

export async function openBench(session: Session, options: BenchOptions): Promise<Bench> {
  const { profile, upstream, concurrency = CONCURRENCY, workers = 1 } = options;
  const stack = await session.lab.openStack({
    profile,
    apis: 1,
    workers,
    env: { UPSTREAM_BASE_URL: `${upstream.url}/v1`, UPSTREAM_CONCURRENCY: String(concurrency), ...session.env },
  });
  return { stack, client: openClient(stack.url, stack.key) };
}
