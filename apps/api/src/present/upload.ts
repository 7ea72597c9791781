/** Turns rows of uploads and parts into the objects of the API: contract §1.2. */
import type { NewUploadPart, UploadView } from "@nightshift/db";
import type { UploadObject, UploadPartObject } from "@nightshift/domain";
import { presentFile } from "./file.ts";
import { toSeconds } from "./seconds.ts";

/**
 * Returns an Upload object with every key, in the order of OpenAI. `file` shows the file as it was on completion, even
 * if it was deleted since.
 */
export function presentUpload(upload: UploadView): UploadObject {
  return {
    id: upload.id,
    object: "upload",
    bytes: upload.bytes,
    created_at: toSeconds(upload.createdAt),
    filename: upload.filename,
    purpose: upload.purpose,
    status: upload.status,
    expires_at: toSeconds(upload.expiresAt),
    file: fileOf(upload),
  };
}

/** Returns the Part object, which has no size, like OpenAI's. */
export function presentPart(part: NewUploadPart): UploadPartObject {
  return { id: part.id, object: "upload.part", created_at: toSeconds(part.createdAt), upload_id: part.upload };
}

/** Returns when the file expires if its upload is completed at `completedAt`, or null if it never expires. */
export function fileExpiry({ fileExpiresAfterSeconds: seconds }: UploadView, completedAt: Date): Date | null {
  return seconds === null ? null : new Date(completedAt.getTime() + seconds * 1000);
}

function fileOf(upload: UploadView): UploadObject["file"] {
  const { fileId, completedAt, purpose, filename, bytes } = upload;
  if (fileId === null || completedAt === null) return null;
  const expiresAt = fileExpiry(upload, completedAt);
  return presentFile({ id: fileId, purpose, filename, bytes, createdAt: completedAt, expiresAt });
}
