/** Which uploads are compressed: `Content-Encoding` for a whole request, the ending of its name for a file. */
import { errors } from "@nightshift/domain";
import type { Request } from "express";
import { type Coding, CODINGS } from "./decompress.ts";

export interface CompressedName {
  readonly coding: Coding;
  /** The name of what is in it. */
  readonly filename: string;
}

/** Of `requests.jsonl.gz` and `requests.jsonl.zst` what they are; null for any other name. */
export function readCompressedName(filename: string): CompressedName | null {
  const found = /^(.*\.jsonl)\.(gz|zst)$/is.exec(filename);
  if (found === null) return null;
  return { coding: found[2]?.toLowerCase() === "gz" ? "gzip" : "zstd", filename: found[1] ?? "" };
}

/** The coding of the request's body; null where it has none. Throws the RequestError of a coding that is not ours. */
export function readContentEncoding(request: Pick<Request, "headers">): Coding | null {
  const text = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (text === "" || text === "identity") return null;
  const coding = CODINGS.find((each) => each === text || `x-${each}` === text);
  if (coding === undefined) throw errors.unsupportedEncoding(text, CODINGS);
  return coding;
}
