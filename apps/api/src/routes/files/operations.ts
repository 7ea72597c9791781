/** The operations on files for the OpenAPI document: contract §1.1. */
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
import { FileFields } from "./file-form.ts";
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
      description:
        "The file, with its name. A file for `batch` is JSONL of at most 200 MiB. Other files have at most 512 MiB.",
    }),
    purpose: Type.Union(UPLOAD_PURPOSES.map((purpose) => Type.Literal(purpose))),
  },
  FileFields,
);

const CONTENT_HEADERS = {
  "content-disposition": "`attachment`, with the name of the file.",
  etag: "Changes when the content changes. Send it in `If-None-Match` and `If-Range`.",
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
      "Uploads a file in one multipart form. The parts of the form may come in any order. A file for a batch is " +
      "refused if its extension is not `.jsonl` or its first line is not JSON. `.jsonl.gz` and `.jsonl.zst` are " +
      "decompressed. The other lines are checked when you create a batch from the file. Files of purpose `batch` " +
      "expire after 30 days, and other files do not expire; `expires_after` changes that. The whole form may be compressed with " +
      "`Content-Encoding: gzip` or `zstd`.",
    extension: false,
    key: "tenant",
    headers: IdempotencyHeaders,
    body: { mediaType: "multipart/form-data", schema: UploadForm, isRequired: true },
    replies: {
      200: {
        description: "The file. It can be used at once.",
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
    description: "Lists the tenant's files, including the result files of batches (purpose `batch_output`).",
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
    description: "Returns the File object, without the file's content.",
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
    description: "Deletes the file at once. A second request returns 404. A batch that has started keeps its input.",
    extension: false,
    key: "tenant",
    params,
    replies: ok("The file is deleted.", DeletedFile),
    errors: ["fileNotFound"],
  },
  {
    method: "get",
    path: "/v1/files/{file_id}/content",
    id: "downloadFile",
    tag,
    summary: "Download a file",
    description:
      "Returns the content of the file, byte for byte. `Range` (one range), `If-Range` and `If-None-Match` are " +
      "supported; OpenAI does not have them. Files of purpose `assistants` and `user_data` cannot be downloaded.",
    extension: false,
    key: "tenant",
    params,
    headers: Type.Object({
      range: Type.Optional(Type.String({ description: "One range of bytes, for example `bytes=0-1023`." })),
      "if-range": Type.Optional(Type.String({ description: "The ETag of the content to which the range applies." })),
      "if-none-match": Type.Optional(
        Type.String({ description: "The ETag of the content that the client already has." }),
      ),
    }),
    replies: {
      200: {
        description: "The whole file.",
        content: { "application/octet-stream": null },
        headers: { ...CONTENT_HEADERS, "content-length": "Size of the file in bytes." },
      },
      206: {
        description: "The requested range.",
        content: { "application/octet-stream": null },
        headers: { ...CONTENT_HEADERS, "content-range": "`bytes first-last/size`." },
      },
      304: { description: "The client already has this content.", headers: CONTENT_HEADERS },
    },
    errors: ["fileNotFound", "notDownloadable", "rangeNotSatisfiable"],
  },
];
