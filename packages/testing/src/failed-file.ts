/** Whether a test of the running file has failed: what it leaves (a database, logs) is then kept to be looked at. */

/** True once a test of this file failed. The repository's jest environment (tests/support/environment.mjs) notes it. */
export function hasFailedTest(): boolean {
  return (globalThis as { hasFailedTest?: boolean }).hasFailedTest === true;
}
