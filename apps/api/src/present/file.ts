/** A file's row as the File object of the wire: contract §2. */
import type { FileView } from "@nightshift/db";
import type { FileObject } from "@nightshift/domain";
import { toSeconds, toSecondsOrNull } from "./seconds.ts";

/** Every key, in wire order. `status` is `processed` at once: clients that wait for it would otherwise wait in vain. */
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
