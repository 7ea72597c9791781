/** GET /v1/files/{file_id}/content: downloads a file (contract §1.1). */
import { pipeline } from "node:stream/promises";
import { types } from "node:util";
import { errors, SEALED_PURPOSES } from "@nightshift/domain";
import type { ByteRange, ObjectStore } from "@nightshift/storage";
import type { Request, Response } from "express";
import { idFromPath } from "../../object-id.ts";
import { onObjectStore } from "../../objects.ts";
import { contentDisposition } from "../../present/content-disposition.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { type FindFileDeps, getFile } from "./retrieve-file.ts";

export interface GetContentDeps extends FindFileDeps {
  readonly objects: ObjectStore;
}

/**
 * Streams the file's bytes at the client's pace: all bytes, one range, or none if the client has the current content.
 */
export function getContentRoute(deps: GetContentDeps): TenantHandler {
  return async (request, response, tenant) => {
    const file = await getFile(deps, tenant, idFromPath(request.params, "file_id"));
    if (SEALED_PURPOSES.includes(file.purpose)) throw errors.notDownloadable(file.purpose);

    response.setHeader("etag", `"${file.etag}"`).setHeader("accept-ranges", "bytes");
    const range = request.fresh ? null : readRange(request, file.bytes, `"${file.etag}"`);
    if (range === "unsatisfiable") {
      response.setHeader("content-range", `bytes */${String(file.bytes)}`);
      throw errors.rangeNotSatisfiable(file.bytes);
    }
    response.setHeader("content-type", "application/octet-stream");
    response.setHeader("content-disposition", contentDisposition(file.filename));
    if (request.fresh) {
      response.status(304).end();
      return;
    }
    setLength(response, range, file.bytes);
    if (request.method === "HEAD") response.end();
    else await send(response, await onObjectStore(() => deps.objects.openRead(file.blob, range ?? undefined)));
  };
}

/**
 * Returns the requested range, or null for the whole file. RFC 9110 §14.2 allows the whole file if there are several
 * ranges, a malformed range, or a range of old content.
 */
function readRange(request: Request, bytes: number, etag: string): ByteRange | "unsatisfiable" | null {
  const condition = request.headers["if-range"];
  if (condition !== undefined && condition !== etag) return null;
  const ranges = request.range(bytes);
  if (ranges === -1) return "unsatisfiable";
  if (ranges === undefined || ranges === -2 || ranges.type !== "bytes" || ranges.length !== 1) return null;
  const [range] = ranges;
  return range === undefined ? null : { start: range.start, end: range.end + 1 };
}

function setLength(response: Response, range: ByteRange | null, bytes: number): void {
  const { start, end } = range ?? { start: 0, end: bytes };
  response.setHeader("content-length", String(end - start));
  if (range === null) return;
  response.status(206).setHeader("content-range", `bytes ${String(start)}-${String(end - 1)}/${String(bytes)}`);
}

async function send(response: Response, content: NodeJS.ReadableStream): Promise<void> {
  try {
    await pipeline(content, response);
  } catch (error) {
    const isClientGone = types.isNativeError(error) && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
    if (!isClientGone) throw error;
  }
}
