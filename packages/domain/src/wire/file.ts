/** The File object and the purposes of files: contract §1.1 and §2. */
import { Type, type Static } from "@sinclair/typebox";
import { nullable } from "./shared-schemas.ts";

/** Purposes that an upload may have, in the order of OpenAI's error message: contract §5.2. */
export const UPLOAD_PURPOSES = ["fine-tune", "assistants", "batch", "user_data", "vision", "evals"] as const;
export type UploadPurpose = (typeof UPLOAD_PURPOSES)[number];

/** Purposes whose files cannot be downloaded: contract §1.1. */
export const SEALED_PURPOSES: readonly string[] = ["assistants", "user_data"];

/** The File object in wire order. Every key is always present: contract §2. */
export const FileObject = Type.Object(
  {
    object: Type.Literal("file"),
    id: Type.String(),
    purpose: Type.String(),
    filename: Type.String(),
    bytes: Type.Integer({ minimum: 0 }),
    created_at: Type.Integer(),
    expires_at: nullable(Type.Integer()),
    status: Type.Literal("processed"),
    status_details: Type.Null(),
  },
  { $id: "File", additionalProperties: false },
);
export type FileObject = Static<typeof FileObject>;

/** The reply to DELETE /v1/files/{id}: contract §1.1. */
export const DeletedFile = Type.Object(
  { object: Type.Literal("file"), id: Type.String(), deleted: Type.Literal(true) },
  { $id: "DeletedFile", additionalProperties: false },
);
export type DeletedFile = Static<typeof DeletedFile>;
