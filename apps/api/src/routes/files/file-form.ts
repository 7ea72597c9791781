/** The text fields of POST /v1/files: contract §1.1. */
import {
  errors,
  expiresAfter,
  MAX_BATCH_FILE_BYTES,
  MAX_FILE_BYTES,
  MAX_UPLOAD_BYTES,
  UPLOAD_PURPOSES,
  type UploadPurpose,
} from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { textParser } from "../../request-schema.ts";

export interface FileForm {
  readonly purpose: UploadPurpose;
  /** Seconds from creation; null: the file does not expire. */
  readonly expiresAfterSeconds: number | null;
}

/**
 * The text fields of the form. `purpose` is any text here, because the contract has a message of its own for a wrong
 * one.
 */
export const FileFields = Type.Object(
  {
    purpose: Type.String(),
    // Clients send `expires_after[anchor]` and `expires_after[seconds]`, which the form reader nests.
    expires_after: Type.Optional(expiresAfter()),
  },
  { additionalProperties: false },
);

const parseFields = textParser(FileFields);

/** Reads the fields once all have arrived. Throws the RequestError of the first fault. */
export function readFileForm(fields: Record<string, unknown>, batchLifeSeconds: number | null): FileForm {
  const { purpose: text, expires_after: expiry } = parseFields(fields);
  const purpose = parsePurpose(text);
  return { purpose, expiresAfterSeconds: fileLifeSeconds(purpose, expiry?.seconds, batchLifeSeconds) };
}

/** How long a file lives: as long as the client asked, else as `batchLifeSeconds` says for purpose `batch`. */
export function fileLifeSeconds(
  purpose: UploadPurpose,
  seconds: number | undefined,
  batchLifeSeconds: number | null,
): number | null {
  return seconds ?? (purpose === "batch" ? batchLifeSeconds : null);
}

/** The purpose, or null if it has not arrived yet. Throws a RequestError for an unknown one. */
export function readPurposeSoFar(fields: Record<string, unknown>): UploadPurpose | null {
  return typeof fields["purpose"] === "string" ? parsePurpose(fields["purpose"]) : null;
}

/** The largest file of a purpose; of any purpose while it is not known (null). */
export function maxBytesOf(purpose: UploadPurpose | null): number {
  return purpose === "batch" ? MAX_BATCH_FILE_BYTES : MAX_FILE_BYTES;
}

/** The largest file that may come in parts: contract §1.2. */
export function maxUploadBytesOf(purpose: UploadPurpose): number {
  return purpose === "batch" ? MAX_BATCH_FILE_BYTES : MAX_UPLOAD_BYTES;
}

/** Throws the RequestError of contract §5.2 for an unknown purpose. */
export function parsePurpose(text: string): UploadPurpose {
  const purpose = UPLOAD_PURPOSES.find((each) => each === text);
  if (purpose === undefined) throw errors.invalidPurpose(text, UPLOAD_PURPOSES);
  return purpose;
}
