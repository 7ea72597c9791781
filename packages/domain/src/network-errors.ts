/**
 * The error codes of Node.js that mean "this server is unavailable". Postgres, the object store and the queue each
 * decide with this list whether a failed call is worth a retry. pool.ts in `db` adds SQLSTATEs, and unavailable.ts in
 * `storage` adds codes of the file system and two network codes. The queue treats every failed call as unavailable.
 */
export const NETWORK_ERROR_CODES: readonly string[] = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
];
