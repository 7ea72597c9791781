/**
 * Checks our objects against the types of the official SDK at compile time. `npm run build` checks this file: a field
 * that is renamed, missing, added or of another type does not compile. At run time, the test only checks `required` in
 * the schemas.
 */
import { expect, test } from "@jest/globals";
import {
  BatchError,
  BatchObject,
  BatchUsage,
  type CreateBatchBody,
  DeletedFile,
  FileObject,
  type ListPage,
  type UploadPurpose,
} from "@nightshift/domain";
import type OpenAI from "openai";
import type { CursorPageResponse } from "openai/core/pagination";

/**
 * The SDK's types as they are on the wire (contract §0). All optional keys are sent, at every depth. Keys that are
 * optional but never null in the SDK are null while they are unset.
 */
type Sent<T> = T extends readonly (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [K in keyof T]-?: Sent<Exclude<T[K], undefined>> }
    : T;
type OrNull<T, K extends keyof T> = { [Key in keyof T]: Key extends K ? T[Key] | null : T[Key] };

type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type OneWay<A, B> = [A] extends [B] ? true : false;
/** True if every member is true. */
type All<Verdicts> = false extends Verdicts[keyof Verdicts] ? false : true;

/**
 * True if both types have the same keys with the same types. For a key in `Narrower`, our type only has to be
 * assignable to the SDK's type.
 */
type Fits<Ours, Theirs, Narrower extends keyof Ours = never> =
  Both<keyof Ours, keyof Theirs> extends true
    ? All<{
        [K in keyof Ours & keyof Theirs]: K extends Narrower ? OneWay<Ours[K], Theirs[K]> : Both<Ours[K], Theirs[K]>;
      }>
    : false;

/** Keys that are null on the wire and absent in the SDK's Batch: contract §3.1. */
type NullInBatch =
  | "model"
  | "errors"
  | "output_file_id"
  | "error_file_id"
  | "in_progress_at"
  | "finalizing_at"
  | "completed_at"
  | "failed_at"
  | "expired_at"
  | "cancelling_at"
  | "cancelled_at";
type SdkBatch = OrNull<Sent<OpenAI.Batch>, NullInBatch>;
type SdkFile = OrNull<Sent<OpenAI.FileObject>, "expires_at" | "status_details">;

/** The purposes that a File may have. The SDK accepts `evals` for uploads, but its File type omits `evals`. */
type Purpose = Exclude<UploadPurpose | "batch_output", "evals">;

type Holds<Facts extends Readonly<Record<string, true>>> = Facts;

/** Each line compiles only if its statement is true. */
export type SdkFacts = Holds<{
  // `errors.object` is always "list" in our type and any string in the SDK's type.
  batch: Fits<BatchObject, SdkBatch, "errors">;
  batchError: Fits<BatchError, Sent<OpenAI.Batches.BatchError>>;
  batchErrors: Fits<NonNullable<BatchObject["errors"]>, NonNullable<SdkBatch["errors"]>, "object">;
  usage: Fits<BatchUsage, Sent<OpenAI.Batches.BatchUsage>>;
  counts: Fits<BatchObject["request_counts"], Sent<OpenAI.Batches.BatchRequestCounts>>;
  // We send fewer values: one status, no details, and the purposes in the next lines.
  file: Fits<Omit<FileObject, "purpose">, Omit<SdkFile, "purpose">, "status" | "status_details">;
  purposes: OneWay<Purpose, OpenAI.FileObject["purpose"]>;
  uploadPurposes: Both<UploadPurpose, OpenAI.FilePurpose>;
  deleted: Fits<DeletedFile, Sent<OpenAI.FileDeleted>, "deleted">;
  filePage: OneWay<ListPage<FileObject>, CursorPageResponse<FileObject>>;
  batchPage: OneWay<ListPage<BatchObject>, CursorPageResponse<BatchObject>>;
  // Every endpoint of the SDK is accepted. To add an endpoint of our own, append it to
  // the SDK's type: `… | "/v1/rerank"`.
  endpoints: Both<CreateBatchBody["endpoint"], OpenAI.BatchCreateParams["endpoint"]>;
  create: OneWay<Omit<OpenAI.BatchCreateParams, "endpoint">, Omit<CreateBatchBody, "endpoint">>;
  createKeys: Both<keyof CreateBatchBody, keyof OpenAI.BatchCreateParams>;
}>;

test.each([
  ["Batch", BatchObject],
  ["BatchError", BatchError],
  ["BatchUsage", BatchUsage],
  ["File", FileObject],
  ["DeletedFile", DeletedFile],
])("every key of %s is always sent", (_name, schema) => {
  const { required, properties } = schema as { readonly required: readonly string[]; readonly properties: object };

  expect([...required].sort()).toEqual(Object.keys(properties).sort());
});
