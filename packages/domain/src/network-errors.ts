/**
 * The error codes of Node.js that mean "this server is unavailable". Postgres, the object store and the queue each
 * decide with this list whether a failed call is worth a retry, and each adds its own codes: pool.ts in `db` the
 * SQLSTATEs, unavailable.ts in `storage` the file system and two network codes. The queue treats every failed call as
 * unavailable.
 */
export const NETWORK_ERROR_CODES: readonly string[] = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
];
