/** Names of test databases. */

/** Returns the prefix of a run's databases, by which the end of the run finds them. */
export function databaseNamePrefix(runId: string): string {
  return `nightshift_test_${runId}_`;
}
