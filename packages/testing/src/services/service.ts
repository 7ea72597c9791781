/** The result of looking for a service: running or missing. */

/** A running service, with the variables that tell tests its address. */
export interface RunningService {
  readonly variables: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** A service that this machine lacks. The sentence says what is not tested, and how to install the service. */
export interface MissingService {
  readonly missing: string;
}

/** True if services write to disk as in production (TEST_DURABLE=1), which benchmarks need. */
export function isDurable(): boolean {
  return process.env["TEST_DURABLE"] === "1";
}
