/** The operations of files, as the API's description has them: contract §1.1. */
import { DeletedFile, FileObject, listSchema, UPLOAD_PURPOSES } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import {
  formSchema,
  IDEMPOTENCY_CASES,
  IdempotencyHeaders,
  ok,
  type Operation,
  REPLAYED_HEADER,
  SCHEMA_CASES,
} from "../../operation.ts";
import { UploadFields } from "../../upload/upload-form.ts";
import { ListFilesQuery } from "./list-files.ts";

const tag = "Files";
const params = Type.Object({ file_id: Type.String({ description: "The id of a file of this tenant." }) });

const FILE_ID = { file_id: "$response.body#/id" };

const UploadForm = formSchema(
  "UploadForm",
  {
    file: Type.Unsafe<string>({
      type: "string",
      format: "binary",
      description: "The file, with its name. For `batch`: JSONL, at most 200 MiB; for other purposes at most 512 MiB.",
    }),
    purpose: Type.Union(UPLOAD_PURPOSES.map((purpose) => Type.Literal(purpose))),
  },
  UploadFields,
);

const CONTENT_HEADERS = {
  "content-disposition": "`attachment` with the file's name.",
  etag: "Changes when the bytes do; for `If-None-Match` and `If-Range`.",
  "accept-ranges": "`bytes`.",
};

export const fileOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/files",
    id: "createFile",
    tag,
    summary: "Upload a file",
    description:
      "Takes a file in one multipart form, whose parts may come in any order. A file for a batch is refused at once where its " +
      "name has another extension than `.jsonl` (`.jsonl.gz` and `.jsonl.zst` are decompressed) or its first line is not JSON; all other lines are judged when a batch is " +
      "created from it. Files of purpose `batch` expire after 30 days, others never, unless `expires_after` says so. " +
      "`Content-Encoding: gzip` or `zstd` compresses the whole form.",
    extension: false,
    key: "tenant",
    headers: IdempotencyHeaders,
    body: { mediaType: "multipart/form-data", schema: UploadForm, isRequired: true },
    replies: {
      200: {
        description: "The file, ready for use.",
        content: { "application/json": FileObject },
        headers: REPLAYED_HEADER,
        links: { retrieveFile: FILE_ID, downloadFile: FILE_ID, deleteFile: FILE_ID },
      },
    },
    errors: [
      "malformedMultipart",
      ...SCHEMA_CASES,
      "invalidPurpose",
      "fileTooLarge",
      "tierFileTooLarge",
      "storageFull",
      "invalidFileFormat",
      "unsupportedEncoding",
      "damagedCompression",
      ...IDEMPOTENCY_CASES,
    ],
  },
  {
    method: "get",
    path: "/v1/files",
    id: "listFiles",
    tag,
    summary: "List files",
    description: "A page of the tenant's files, result files of batches among them (purpose `batch_output`).",
    extension: false,
    key: "tenant",
    query: ListFilesQuery,
    replies: ok("A page of files.", listSchema(FileObject, "FileList")),
    errors: ["invalidType", "invalidValue", "outOfRange"],
  },
  {
    method: "get",
    path: "/v1/files/{file_id}",
    id: "retrieveFile",
    tag,
    summary: "Retrieve a file",
    description: "The File object, without the file's bytes.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The file.", FileObject),
    errors: ["fileNotFound"],
  },
  {
    method: "delete",
    path: "/v1/files/{file_id}",
    id: "deleteFile",
    tag,
    summary: "Delete a file",
    description: "Takes the file away at once. A second time it is not there. A batch that has begun keeps its input.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The file is gone.", DeletedFile),
    errors: ["fileNotFound"],
  },
  {
    method: "get",
    path: "/v1/files/{file_id}/content",
    id: "downloadFile",
    tag,
    summary: "Download a file",
    description:
      "The file's bytes as they were uploaded or written. Takes one `Range` of bytes, `If-Range` and `If-None-Match`; these " +
      "three are Nightshift's own. Files of purpose `assistants` and `user_data` are not handed out.",
    extension: false,
    key: "tenant",
    params,
    headers: Type.Object({
      range: Type.Optional(Type.String({ description: "One range of bytes: `bytes=0-1023`." })),
      "if-range": Type.Optional(Type.String({ description: "The ETag that the range is meant for." })),
      "if-none-match": Type.Optional(Type.String({ description: "The ETag of the bytes that the client has." })),
    }),
    replies: {
      200: {
        description: "All bytes.",
        content: { "application/octet-stream": null },
        headers: { ...CONTENT_HEADERS, "content-length": "Bytes of the file." },
      },
      206: {
        description: "The bytes of the range.",
        content: { "application/octet-stream": null },
        headers: { ...CONTENT_HEADERS, "content-range": "`bytes first-last/all`." },
      },
      304: { description: "The client has these bytes.", headers: CONTENT_HEADERS },
    },
    errors: ["fileNotFound", "notDownloadable", "rangeNotSatisfiable"],
  },
];
