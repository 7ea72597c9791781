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
  /** Seconds from creation. Null if the file does not expire. */
  readonly expiresAfterSeconds: number | null;
}

/**
 * The text fields of the form. `purpose` is any text here, because the contract has its own message for a wrong
 * purpose.
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

/**
 * Returns how many seconds a file lives: as many as the client asked for, or else `batchLifeSeconds` for purpose
 * `batch`. Returns null if the file does not expire.
 */
export function fileLifeSeconds(
  purpose: UploadPurpose,
  seconds: number | undefined,
  batchLifeSeconds: number | null,
): number | null {
  return seconds ?? (purpose === "batch" ? batchLifeSeconds : null);
}

/** Returns the purpose, or null if it has not arrived yet. Throws a RequestError for an unknown purpose. */
export function readPurposeSoFar(fields: Record<string, unknown>): UploadPurpose | null {
  return typeof fields["purpose"] === "string" ? parsePurpose(fields["purpose"]) : null;
}

/** Returns the maximum size of a file of this purpose. Null means that the purpose is not known yet. */
export function maxBytesOf(purpose: UploadPurpose | null): number {
  return purpose === "batch" ? MAX_BATCH_FILE_BYTES : MAX_FILE_BYTES;
}

/** Returns the maximum size of a file that is uploaded in parts: contract §1.2. */
export function maxUploadBytesOf(purpose: UploadPurpose): number {
  return purpose === "batch" ? MAX_BATCH_FILE_BYTES : MAX_UPLOAD_BYTES;
}

/** Parses a purpose. Throws the RequestError of contract §5.2 if it is unknown. */
export function parsePurpose(text: string): UploadPurpose {
  const purpose = UPLOAD_PURPOSES.find((each) => each === text);
  if (purpose === undefined) throw errors.invalidPurpose(text, UPLOAD_PURPOSES);
  return purpose;
}
