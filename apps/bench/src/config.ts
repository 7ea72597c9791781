/** The environment of the benchmarks: the only place of this app that reads it. */

/** Where the profiles of the processes go; set by the benchmarks for the processes that they start. */
export function profileFolder(): string {
  return process.env["BENCH_PROFILE_DIR"] ?? ".";
}
