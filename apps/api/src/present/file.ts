/** Turns the row of a file into the File object: contract §2. */
import type { FileView } from "@nightshift/db";
import type { FileObject } from "@nightshift/domain";
import { toSeconds, toSecondsOrNull } from "./seconds.ts";

/**
 * Returns a File object with every key, in the order of OpenAI. `status` is always `processed`, because some clients
 * wait for it.
 */
export function presentFile(
  file: Pick<FileView, "id" | "purpose" | "filename" | "bytes" | "createdAt" | "expiresAt">,
): FileObject {
  return {
    object: "file",
    id: file.id,
    purpose: file.purpose,
    filename: file.filename,
    bytes: file.bytes,
    created_at: toSeconds(file.createdAt),
    expires_at: toSecondsOrNull(file.expiresAt),
    status: "processed",
    status_details: null,
  };
}
