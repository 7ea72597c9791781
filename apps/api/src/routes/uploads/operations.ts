/** The operations of uploads, as the API's description has them: contract §1.2. */
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
      description: "The part, sent as a file: at most 64 MiB, and no more than the upload declared.",
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
    summary: "Begin an upload in parts",
    description:
      "Declares a file that will come in parts, and answers with an upload that takes them for an hour. Name, size and purpose " +
      "are judged at once: a file for a batch may have 200 MiB, others 8 GiB.",
    extension: false,
    key: "tenant",
    body: {
      mediaType: "application/json",
      schema: CreateUploadBody,
      isRequired: true,
      example: { filename: "requests.jsonl", purpose: "batch", bytes: 524, mime_type: "application/jsonl" },
    },
    replies: ok("The upload, in `pending`.", UploadObject, {
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
      "Takes the bytes of one part. Parts may be sent beside each other and in any order; one that is sent again is another " +
      "part, and `part_ids` of the completion says which of them counts.",
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
      "Joins the parts that `part_ids` lists, in that order, into a file; together they must have the bytes that were declared " +
      "and, where `md5` is sent (hex or base64), that digest. What is refused leaves the upload pending. The same completion " +
      "again has the same answer.",
    extension: false,
    key: "tenant",
    params,
    body: {
      mediaType: "application/json",
      schema: CompleteUploadBody,
      isRequired: true,
      example: { part_ids: ["part_abc123"] },
    },
    replies: ok("The upload, in `completed`, with its file.", UploadObject, {
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
    description: "Ends the upload and deletes its parts. Asking again changes nothing. The body is not looked at.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The upload, in `cancelled`.", UploadObject),
    errors: ["uploadNotFound", "uploadIsOver"],
  },
];
