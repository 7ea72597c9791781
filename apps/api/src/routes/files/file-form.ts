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

export interface UploadForm {
  readonly purpose: UploadPurpose;
  /** Seconds from creation; null: never. */
  readonly expiresAfterSeconds: number | null;
}

/** The text fields of the form. `purpose` is free text here: its closed list has a message of its own in the contract. */
export const UploadFields = Type.Object(
  {
    purpose: Type.String(),
    // Sent as `expires_after[anchor]` and `expires_after[seconds]`; the multipart reader has nested them already.
    expires_after: Type.Optional(expiresAfter()),
  },
  { additionalProperties: false },
);

const parseFields = textParser(UploadFields);

/** Reads the fields once all have arrived; `batchLifeSeconds` holds for purpose `batch` where they name none. Throws the RequestError of the first fault. */
export function readUploadForm(fields: Record<string, unknown>, batchLifeSeconds: number | null): UploadForm {
  const { purpose: text, expires_after: expiry } = parseFields(fields);
  const purpose = parsePurpose(text);
  return { purpose, expiresAfterSeconds: fileLifeSeconds(purpose, expiry?.seconds, batchLifeSeconds) };
}

/** Seconds that a file lives whose client asked for `seconds`, if for any; null: for ever. */
export function fileLifeSeconds(
  purpose: UploadPurpose,
  seconds: number | undefined,
  batchLifeSeconds: number | null,
): number | null {
  return seconds ?? (purpose === "batch" ? batchLifeSeconds : null);
}

/** The purpose if it has arrived, while the file may still be on its way. Throws where it is none of ours. */
export function readPurposeSoFar(fields: Record<string, unknown>): UploadPurpose | null {
  return typeof fields["purpose"] === "string" ? parsePurpose(fields["purpose"]) : null;
}

/** Bytes that a file may have; the most that any purpose allows while it is not known (null). */
export function maxBytesOf(purpose: UploadPurpose | null): number {
  return purpose === "batch" ? MAX_BATCH_FILE_BYTES : MAX_FILE_BYTES;
}

/** The same for a file that comes in parts: contract §1.2. */
export function maxUploadBytesOf(purpose: UploadPurpose): number {
  return purpose === "batch" ? MAX_BATCH_FILE_BYTES : MAX_UPLOAD_BYTES;
}

/** Throws the RequestError of contract §5.2 for a purpose that is none of ours. */
export function parsePurpose(text: string): UploadPurpose {
  const purpose = UPLOAD_PURPOSES.find((each) => each === text);
  if (purpose === undefined) throw errors.invalidPurpose(text, UPLOAD_PURPOSES);
  return purpose;
}
