/**
 * The object store: its interface and the adapter for a folder. The adapter for S3 is `@nightshift/storage/s3`, because
 * the AWS SDK costs each process 25 MB and 0.15 s, and a single machine does not need it.
 */
export { openFolderStore } from "./folder-store.ts";
export {
  ObjectNotFoundError,
  type ByteRange,
  type JoinSource,
  type ObjectInfo,
  type ObjectPiece,
  type ObjectStore,
} from "./object-store.ts";
export { readLines } from "./read-lines.ts";
export { readPieces } from "./read-pieces.ts";
export { isObjectStoreUnavailable } from "./unavailable.ts";
export { type RecentObjectsOptions, withRecentObjects } from "./recent-objects.ts";
