/** Names of test databases. */

/** How the names of a run's databases begin, so that they can be found again at its end. */
export function databaseNamePrefix(runId: string): string {
  return `nightshift_test_${runId}_`;
}
