/** Tells whether a test of the running file has failed, in which case the file keeps its database and logs. */

/** True once a test of this file failed. The repository's jest environment (tests/support/environment.mjs) notes it. */
export function hasFailedTest(): boolean {
  return (globalThis as { hasFailedTest?: boolean }).hasFailedTest === true;
}
