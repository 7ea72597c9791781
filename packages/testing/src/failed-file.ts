/** Tells whether a test of the running file has failed. If so, the database and the logs of the file are kept. */

/**
 * Returns true after a test of this file has failed. The jest environment (tests/support/environment.mjs) records it.
 */
export function hasFailedTest(): boolean {
  return (globalThis as { hasFailedTest?: boolean }).hasFailedTest === true;
}
