/** Tells whether a test of the running file has failed, in which case the file keeps its database and logs. */

/** True after a test of this file has failed. The jest environment (tests/support/environment.mjs) records it. */
export function hasFailedTest(): boolean {
  return (globalThis as { hasFailedTest?: boolean }).hasFailedTest === true;
}
