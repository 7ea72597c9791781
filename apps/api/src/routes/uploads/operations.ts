/** The operations on uploads for the OpenAPI document: contract §1.2. */
import { CompleteUploadBody, CreateUploadBody, UploadObject, UploadPartObject } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { formSchema, JSON_BODY_CASES, ok, type Operation, SCHEMA_CASES } from "../../operation.ts";

const tag = "Uploads";
const params = Type.Object({ upload_id: Type.String({ description: "The id of an upload of this tenant." }) });

const UPLOAD_ID = { upload_id: "$response.body#/id" };

const UploadPartForm = formSchema(
  "UploadPartForm",
  {
    data: Type.Unsafe<string>({
      type: "string",
      format: "binary",
      description:
        "The part, sent as a file. It may have at most 64 MiB, and at most the bytes that the upload declared.",
    }),
  },
  Type.Object({}),
);

export const uploadOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/uploads",
    id: "createUpload",
    tag,
    summary: "Start an upload in parts",
    description:
      "Declares a file that you send in parts. The upload accepts parts for an hour. Name, size and purpose are " +
      "checked at once: a file for a batch may have 200 MiB, other files 8 GiB.",
    extension: false,
    key: "tenant",
    body: {
      mediaType: "application/json",
      schema: CreateUploadBody,
      isRequired: true,
      example: { filename: "requests.jsonl", purpose: "batch", bytes: 524, mime_type: "application/jsonl" },
    },
    replies: ok("The upload, with the status `pending`.", UploadObject, {
      addUploadPart: UPLOAD_ID,
      completeUpload: UPLOAD_ID,
      cancelUpload: UPLOAD_ID,
    }),
    errors: [
      ...JSON_BODY_CASES,
      ...SCHEMA_CASES,
      "invalidPurpose",
      "fileTooLarge",
      "tierFileTooLarge",
      "storageFull",
      "invalidFileFormat",
    ],
  },
  {
    method: "post",
    path: "/v1/uploads/{upload_id}/parts",
    id: "addUploadPart",
    tag,
    summary: "Add a part",
    description:
      "Uploads one part. Parts may be sent in parallel and in any order. A part that you send again becomes " +
      "another part. When you complete the upload, `part_ids` selects the one to use.",
    extension: false,
    key: "tenant",
    params,
    body: { mediaType: "multipart/form-data", schema: UploadPartForm, isRequired: true },
    replies: ok("The part.", UploadPartObject),
    errors: [
      "uploadNotFound",
      "uploadIsOver",
      "malformedMultipart",
      "missingParameter",
      "outOfRange",
      "unknownParameter",
    ],
  },
  {
    method: "post",
    path: "/v1/uploads/{upload_id}/complete",
    id: "completeUpload",
    tag,
    summary: "Complete an upload",
    description:
      "Joins the parts listed in `part_ids`, in that order, into a file. Together they must have the declared size " +
      "and the digest in `md5` (hex or base64), if you send one. After an error the upload stays pending. Repeating " +
      "the request returns the same reply.",
    extension: false,
    key: "tenant",
    params,
    body: {
      mediaType: "application/json",
      schema: CompleteUploadBody,
      isRequired: true,
      example: { part_ids: ["part_abc123"] },
    },
    replies: ok("The upload, with the status `completed` and its file.", UploadObject, {
      retrieveFile: { file_id: "$response.body#/file/id" },
    }),
    errors: [
      ...JSON_BODY_CASES,
      "uploadNotFound",
      "uploadIsOver",
      "missingParameter",
      "invalidType",
      "outOfRange",
      "unknownParameter",
      "storageFull",
      "invalidFileFormat",
    ],
  },
  {
    method: "post",
    path: "/v1/uploads/{upload_id}/cancel",
    id: "cancelUpload",
    tag,
    summary: "Cancel an upload",
    description:
      "Cancels the upload and deletes its parts. Repeating the request changes nothing. The body is ignored.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The upload, with the status `cancelled`.", UploadObject),
    errors: ["uploadNotFound", "uploadIsOver"],
  },
];
