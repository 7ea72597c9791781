/** Reads the environment of the benchmarks. No other file of this app reads it. */

/** Returns the folder for CPU profiles. The benchmarks set its variable for the processes that they start. */
export function profileFolder(): string {
  return process.env["BENCH_PROFILE_DIR"] ?? ".";
}
