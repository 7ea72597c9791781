/** The result of looking for a service: running or missing. */

/** A service that can be used: the variables that tell tests about it, and the way to end it. */
export interface RunningService {
  readonly variables: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** A service that could not be had here: one sentence with what goes untested and how to get it. */
export interface MissingService {
  readonly missing: string;
}

/** True where services keep what they are told as in production (TEST_DURABLE=1): for benchmarks. */
export function isDurable(): boolean {
  return process.env["TEST_DURABLE"] === "1";
}
