/** Checks the content of an upload's parts before they become a file. */
import { createHash, type Hash } from "node:crypto";
import { errors } from "@nightshift/domain";
import type { ObjectStore } from "@nightshift/storage";
import { createFirstLine, type FirstLine, refuseWrongFirstLine } from "../files/batch-input.ts";

export interface ContentDemands {
  readonly isBatchInput: boolean;
  /** The digest that the bytes must have. Null if it is not checked. */
  readonly md5: Buffer | null;
}

/**
 * Reads the parts in order. Throws if the first line of a batch's input is not JSON (the rule of POST /v1/files,
 * contract §1.1), or if the MD5 is not the one that the client sent. The MD5 needs all bytes, one chunk at a time. The
 * first line needs the bytes up to its end. Without either check, nothing is read.
 */
export async function checkJoinedContent(
  objects: ObjectStore,
  parts: readonly { readonly blob: string }[],
  { isBatchInput, md5 }: ContentDemands,
): Promise<void> {
  const firstLine = isBatchInput ? createFirstLine() : null;
  const hash = md5 === null ? null : createHash("md5");
  await readParts(objects, parts, firstLine, hash);
  if (firstLine !== null) refuseWrongFirstLine(firstLine.end());
  const digest = hash?.digest();
  if (md5 !== null && digest?.equals(md5) !== true) {
    const got = digest?.toString("hex") ?? "none";
    throw errors.outOfRange("md5", `the listed parts, in their order, have the MD5 ${got}`);
  }
}

async function readParts(
  objects: ObjectStore,
  parts: readonly { readonly blob: string }[],
  firstLine: FirstLine | null,
  hash: Hash | null,
): Promise<void> {
  let isJudged = firstLine === null;
  for (const { blob } of parts) {
    if (isJudged && hash === null) return;
    for await (const chunk of (await objects.openRead(blob)) as AsyncIterable<Buffer>) {
      isJudged = firstLine === null || firstLine.push(chunk) !== "undecided";
      hash?.update(chunk);
      if (isJudged && hash === null) return;
    }
  }
}

/**
 * Reads the `md5` of a request: 32 hex digits in either case, or the base64 of Content-MD5 (RFC 1864), which has a
 * different length. The contract does not define the encoding. Throws for any other text. Returns null if there is no
 * `md5`.
 */
export function readMd5(text: string | null | undefined): Buffer | null {
  if (text === null || text === undefined) return null;
  if (/^[\da-f]{32}$/i.test(text)) return Buffer.from(text, "hex");
  if (/^[A-Za-z\d+/]{22}==$/.test(text)) return Buffer.from(text, "base64");
  throw errors.outOfRange("md5", "it must be 32 hex digits, or the same 16 bytes as base64");
}
