/** Reads a multipart form with one file, which streams to whoever keeps it. */
import type { Readable } from "node:stream";
import { errors, RequestError } from "@nightshift/domain";
import type { Request, Response } from "express";
import multer from "multer";

/** One field for each of the form's keys, and some that are told that they are unknown. */
const LIMITS = { files: 1, fields: 10, parts: 12, fieldNameSize: 100, fieldSize: 1024, fieldNestingDepth: 2 };

/** Where the file of a form goes. */
export interface FormFileSink {
  /** What to read in place of the request: the same, decompressed. */
  readonly source?: Request;
  /** Takes all of the file's stream, and resolves with its bytes. */
  store(file: Express.Multer.File): Promise<number>;
  /** Removes what `store` has stored: the form was refused after it. Never rejects. */
  discard(): Promise<void>;
}

/**
 * Resolves when the whole form was read; its text fields are in the `body` of what was read. A refusal is answered at once: multer
 * itself would first read all that the client is still sending; here it does so behind the answer.
 */
export function readFormFile(request: Request, response: Response, field: string, sink: FormFileSink): Promise<void> {
  return new Promise((resolve, reject) => {
    const storage: multer.StorageEngine = {
      _handleFile: (_request, file, done) => {
        sink.store(file).then(
          (size) => {
            done(null, { size });
          },
          (error: unknown) => {
            reject(error instanceof Error ? error : new Error(String(error)));
            done(error);
          },
        );
      },
      _removeFile: (_request, _file, done) => {
        void sink.discard().then(() => {
          done(null);
        });
      },
    };
    const read = multer({ storage, limits: LIMITS, defParamCharset: "utf8" }).single(field);
    const source = sink.source ?? request;
    read(source, response, (error: unknown) => {
      if (error !== undefined && error !== null) reject(toRequestError(error, field));
      else if (request.is("multipart/form-data") !== "multipart/form-data") {
        reject(errors.malformedMultipart("its Content-Type is not multipart/form-data"));
      } else if (isRead(source)) resolve();
      else {
        reject(errors.malformedMultipart("the boundary in its Content-Type cannot be read; put it in double quotes"));
      }
    });
  });
}

/** Express and multer each have their own reader of Content-Type, and multer passes over what its own cannot read. */
function isRead(source: Request): boolean {
  return (source.body as unknown) !== undefined;
}

/** The bytes of a form's file; `check` sees each chunk and the bytes so far, and ends the reading by throwing a RequestError. */
export async function* formBytes(
  source: Readable,
  check: (chunk: Buffer, bytes: number) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    // Left as it is when we stop: destroying it would be reported as a second, meaningless reason by multer.
    const chunks = source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      check(chunk, bytes);
      yield chunk;
    }
  } catch (error) {
    // A source that breaks is the client's connection or its form, never the object store.
    throw error instanceof RequestError ? error : toRequestError(error);
  }
}

/** The form has the file as a text: without a filename in its part. */
export function notAFile(field: string): RequestError {
  return errors.outOfRange(field, "send it as a file, which has a filename in the form");
}

function toRequestError(error: unknown, fileField?: string): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof multer.MulterError && error.code === "LIMIT_UNEXPECTED_FILE") {
    return errors.unknownParameter(error.field ?? "file");
  }
  if (error instanceof multer.MulterError && error.code === "LIMIT_FIELD_VALUE") {
    const { field = "" } = error;
    const rule = `a text field must not be longer than ${String(LIMITS.fieldSize)} bytes`;
    return field === fileField ? notAFile(field) : errors.outOfRange(field, rule);
  }
  return errors.malformedMultipart(error instanceof Error ? error.message : String(error));
}
