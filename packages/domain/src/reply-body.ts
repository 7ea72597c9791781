/** One pass over the body of an upstream's reply: may it stand in a result line, and where does it say what the request cost? */
import { isUtf8 } from "node:buffer";
import { isJson, lastMember, scanObject, type Member } from "./json-scan.ts";

export interface ReplyBody {
  readonly bytes: Buffer;
  /** True where it is JSON in UTF-8: then it can stand in a result line as it is. */
  readonly isUsable: boolean;
  /** Where `usage` lies; undefined where there is none. */
  readonly usage: Member | undefined;
}

/** Never throws: whatever an upstream answers is usable or is not. */
export function scanReplyBody(bytes: Buffer): ReplyBody {
  if (!isUtf8(bytes)) return { bytes, isUsable: false, usage: undefined };
  const members = scanObject(bytes);
  if (members === null) return { bytes, isUsable: isJson(bytes), usage: undefined };
  return { bytes, isUsable: true, usage: lastMember(members, "usage") };
}
