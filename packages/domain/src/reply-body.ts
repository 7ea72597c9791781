/** Scans the body of an upstream's reply once: finds its `usage`, and whether a result line can contain the body. */
import { isUtf8 } from "node:buffer";
import { isJson, lastMember, scanObject, type Member } from "./json-scan.ts";

export interface ReplyBody {
  readonly bytes: Buffer;
  /** True for JSON in UTF-8, which a result line can contain unchanged. */
  readonly isUsable: boolean;
  /** The span of `usage`. Undefined if the body has none. */
  readonly usage: Member | undefined;
}

/** Never throws: every body is either usable or not. */
export function scanReplyBody(bytes: Buffer): ReplyBody {
  if (!isUtf8(bytes)) return { bytes, isUsable: false, usage: undefined };
  const members = scanObject(bytes);
  if (members === null) return { bytes, isUsable: isJson(bytes), usage: undefined };
  return { bytes, isUsable: true, usage: lastMember(members, "usage") };
}
