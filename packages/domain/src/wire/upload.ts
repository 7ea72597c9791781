/** Uploads: files that arrive in parts (contract §1.2). */
import { Type, type Static } from "@sinclair/typebox";
import { MAX_FILENAME_LENGTH, MAX_UPLOAD_PARTS } from "../limits.ts";
import { FileObject } from "./file.ts";
import { expiresAfter, nullable } from "./shared-schemas.ts";

const UPLOAD_STATUSES = ["pending", "completed", "cancelled", "expired"] as const;
export type UploadStatus = (typeof UPLOAD_STATUSES)[number];

/** The Upload object in wire order. Every key is always present; `file` is null until the upload is completed. */
export const UploadObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("upload"),
    bytes: Type.Integer({ minimum: 0 }),
    created_at: Type.Integer(),
    filename: Type.String(),
    purpose: Type.String(),
    status: Type.Union(UPLOAD_STATUSES.map((status) => Type.Literal(status))),
    expires_at: Type.Integer(),
    file: nullable(FileObject),
  },
  { $id: "Upload", additionalProperties: false },
);
export type UploadObject = Static<typeof UploadObject>;

/** The UploadPart object. */
export const UploadPartObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("upload.part"),
    created_at: Type.Integer(),
    upload_id: Type.String(),
  },
  { $id: "UploadPart", additionalProperties: false },
);
export type UploadPartObject = Static<typeof UploadPartObject>;

/** Body of POST /v1/uploads. The API checks `bytes` itself, because the limit depends on the purpose. */
export const CreateUploadBody = Type.Object(
  {
    filename: Type.String({ minLength: 1, maxLength: MAX_FILENAME_LENGTH }),
    bytes: Type.Integer({ minimum: 0 }),
    mime_type: Type.String({ maxLength: 255 }),
    purpose: Type.String(),
    expires_after: Type.Optional(nullable(expiresAfter())),
  },
  { $id: "CreateUploadRequest", additionalProperties: false },
);
export type CreateUploadBody = Static<typeof CreateUploadBody>;

/** Body of POST /v1/uploads/{upload_id}/complete. */
export const CompleteUploadBody = Type.Object(
  {
    part_ids: Type.Array(Type.String(), { maxItems: MAX_UPLOAD_PARTS }),
    md5: Type.Optional(nullable(Type.String())),
  },
  { $id: "CompleteUploadRequest", additionalProperties: false },
);
export type CompleteUploadBody = Static<typeof CompleteUploadBody>;
