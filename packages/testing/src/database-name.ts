/** Names of test databases. */

/** Returns the name prefix of a run's databases. The teardown uses the prefix to find the databases and drop them. */
export function databaseNamePrefix(runId: string): string {
  return `nightshift_test_${runId}_`;
}
