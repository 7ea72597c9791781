/** Looks at a file's bytes while they stream by: how many they are, what their first line is, and their hash where it is wanted. */
import { createHash } from "node:crypto";
import { errors, type UploadPurpose } from "@nightshift/domain";
import type { UploadLimit } from "../../tiers/upload-limits.ts";
import { refuseWrongFirstLine } from "./batch-input.ts";
import { createFirstLine, type FirstLine } from "./first-line.ts";
import { maxBytesOf } from "./file-form.ts";

export interface ByteChecks {
  readonly firstLine: FirstLine;
  /** The bytes of `source`; throws a RequestError as soon as it is sure that they will be refused. Once only. */
  pass(source: AsyncIterable<Uint8Array>, purpose: UploadPurpose | null): AsyncGenerator<Uint8Array>;
  /** SHA-256 of what has passed; null where it was not asked for. Once only, at the end. */
  sha256(): Buffer | null;
}

/** Checks for one pass over a file. */
export function createByteChecks(wantsHash: boolean, limit: UploadLimit): ByteChecks {
  const hash = wantsHash ? createHash("sha256") : null;
  const firstLine = createFirstLine();
  return {
    firstLine,
    sha256: () => hash?.digest() ?? null,
    async *pass(source, purpose) {
      const maxBytes = maxBytesOf(purpose);
      let bytes = 0;
      for await (const chunk of source) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw errors.fileTooLarge(maxBytes);
        if (bytes > limit.maxBytes) throw limit.refusal();
        const verdict = firstLine.push(chunk);
        if (purpose === "batch") refuseWrongFirstLine(verdict);
        hash?.update(chunk);
        yield chunk;
      }
    },
  };
}
