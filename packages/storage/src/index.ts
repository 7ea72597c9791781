/**
 * The object store, and only that: its port and its two adapters. The one for S3 is at `@nightshift/storage/s3`, because
 * the AWS SDK costs each process that loads it 25 MB and 0.15 s, and one machine alone has no use for it.
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
