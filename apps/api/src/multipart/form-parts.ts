/** Reads a multipart form as a sequence of parts, in the order in which the client sends them. */
import { on } from "node:events";
import { finished, Readable } from "node:stream";
import { errors, MAX_FILE_BYTES, RequestError } from "@nightshift/domain";
import appendField from "append-field";
import busboy, { type Busboy } from "busboy";
import type { Request } from "express";
import { decompressed, readContentEncoding } from "./decompress.ts";

/** Allows one field for each known key, and a few more, so that the error can name the first unknown field. */
const LIMITS = { files: 1, fields: 10, parts: 12, fieldNameSize: 100, fieldSize: 1024, fieldNestingDepth: 2 };

/**
 * The bytes that a decompressed form may have in addition to a file of the maximum size, for boundaries and text
 * fields.
 */
const FORM_BYTES = 1024 * 1024;

export interface FieldPart {
  readonly kind: "field";
  readonly name: string;
  readonly value: string;
}

export interface FilePart {
  readonly kind: "file";
  /** The base name of the file: folders are removed. */
  readonly filename: string;
  /** Throws a RequestError if the form or the client's connection breaks. */
  readonly content: AsyncIterable<Buffer>;
}

/**
 * Yields the parts of the request's form: text fields, and at most one file, which must be called `fileField`. A body
 * with a `Content-Encoding` of gzip or zstd is decompressed. Throws a RequestError if the form is malformed, exceeds a
 * limit, or has any other file.
 *
 * The caller must read the whole content of a file before it asks for the next part. It may also leave the loop early
 * and reply at once: the rest of the body is read and dropped after the reply.
 */
export async function* readFormParts(request: Request, fileField: string): AsyncGenerator<FieldPart | FilePart> {
  const body = readBody(request);
  const parser = createParser(request);
  const parts = on(parser, "part", { close: ["close"] }) as AsyncIterable<[FieldPart | FilePart]>;
  reportParts(parser, fileField);
  finished(body, { writable: false }, (error) => {
    if (error) parser.destroy(error);
  });
  body.pipe(parser);
  try {
    for await (const [part] of parts) yield part;
  } catch (error) {
    throw toRequestError(error);
  } finally {
    body.unpipe(parser);
    parser.destroy();
    // Drain the bytes that the client sends, not the decompressed stream: a zip bomb expands without end.
    if (body !== request) body.destroy();
    request.resume();
  }
}

/** Adds a field to the fields of a form: `a[b]` becomes the key `b` of the object `a`. */
export function addField(fields: Record<string, unknown>, { name, value }: FieldPart): void {
  try {
    appendField(fields, name, value);
  } catch {
    throw errors.malformedMultipart("Invalid field name");
  }
}

/** Returns the error for a form that has the file's content in a text field, which is a part without a filename. */
export function notAFile(field: string): RequestError {
  return errors.outOfRange(field, "send it as a file, which has a filename in the form");
}

/** Returns the bytes of the form: the request itself, or its decompressed body. */
function readBody(request: Request): Readable {
  const coding = readContentEncoding(request);
  if (coding === null) return request;
  return Readable.from(limited(decompressed(bytesOf(request), coding)), { objectMode: false });
}

async function* limited(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES + FORM_BYTES) throw errors.fileTooLarge(MAX_FILE_BYTES);
    yield chunk;
  }
}

function createParser(request: Request): Busboy {
  if (typeof request.is("multipart") !== "string") {
    throw errors.malformedMultipart("its Content-Type is not multipart/form-data");
  }
  // busboy reports these two limits when they are reached, not when they are exceeded.
  const limits = { ...LIMITS, parts: LIMITS.parts + 1, fieldSize: LIMITS.fieldSize + 1 };
  try {
    return busboy({ headers: request.headers, limits, defParamCharset: "utf8" });
  } catch (error) {
    const { message } = error as Error;
    // Express accepts more characters in a boundary without quotes than busboy does.
    const isMalformed = message === "Malformed content type";
    throw errors.malformedMultipart(
      isMalformed ? "the boundary in its Content-Type cannot be read; put it in double quotes" : message,
    );
  }
}

/** Makes the parser emit `part` for each part that is accepted, and `error` for the first one that is not. */
function reportParts(parser: Busboy, fileField: string): void {
  const report = (part: FieldPart | FilePart | RequestError): void => {
    parser.emit(part instanceof RequestError ? "error" : "part", part);
  };
  parser.on("field", (name: string | undefined, value, { valueTruncated }) => {
    report(toField(name, value, valueTruncated, fileField));
  });
  parser.on("file", (name: string | undefined, stream, { filename }) => {
    // An `error` event without a listener would end the process. The reader of the stream gets the error as well.
    stream.on("error", () => undefined);
    if (name !== undefined && (filename === undefined || filename === "")) stream.resume();
    else report(toFile(name, filename ?? "", stream, fileField));
  });
  parser.on("partsLimit", () => {
    report(errors.malformedMultipart("Too many parts"));
  });
  parser.on("filesLimit", () => {
    report(errors.malformedMultipart("Too many files"));
  });
  parser.on("fieldsLimit", () => {
    report(errors.malformedMultipart("Too many fields"));
  });
  // After the caller has left the loop, nothing else listens for errors.
  parser.on("error", () => undefined);
}

function toField(
  rawName: string | undefined,
  value: string,
  isTruncated: boolean,
  fileField: string,
): FieldPart | RequestError {
  if (rawName === undefined) return errors.malformedMultipart("Field name missing");
  const name = unescapeName(rawName);
  if (isTruncated) {
    if (name === fileField) return notAFile(name);
    return errors.outOfRange(name, `a text field must not be longer than ${String(LIMITS.fieldSize)} bytes`);
  }
  if (rawName.length > LIMITS.fieldNameSize) return errors.malformedMultipart("Field name too long");
  if (name.split("[").length - 1 > LIMITS.fieldNestingDepth) {
    return errors.malformedMultipart("Field name nesting too deep");
  }
  return { kind: "field", name, value };
}

function toFile(
  rawName: string | undefined,
  filename: string,
  stream: Readable,
  fileField: string,
): FilePart | RequestError {
  if (rawName === undefined) return errors.malformedMultipart("Field name missing");
  if (rawName.length > LIMITS.fieldNameSize) return errors.malformedMultipart("Field name too long");
  const name = unescapeName(rawName);
  if (name !== fileField) return errors.unknownParameter(name);
  return { kind: "file", filename: unescapeName(filename), content: bytesOf(stream) };
}

/** Browsers escape only these three characters in names and filenames. A literal `%` is not escaped, so it is kept. */
function unescapeName(name: string): string {
  return name.replaceAll(/%0A/gi, "\n").replaceAll(/%0D/gi, "\r").replaceAll("%22", '"');
}

/**
 * Reads a stream without destroying it when the reader stops: a request still needs its reply, and the parser waits for
 * the end of a file. The bytes that were not read are dropped.
 */
async function* bytesOf(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    // The object store reads this stream. A broken form or connection must not look like a failure of the store.
    throw toRequestError(error);
  } finally {
    stream.resume();
  }
}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  return errors.malformedMultipart(error instanceof Error ? error.message : String(error));
}
