/** Parses a line of an input file into a request or a list of faults, without changing its bytes. */
import { isUtf8 } from "node:buffer";
import { type BatchEndpoint, endpointFacts } from "./endpoints.ts";
import { isJson, lastMember, readString, scanObject, type Member } from "./json-scan.ts";
import { MAX_CUSTOM_ID_LENGTH } from "./limits.ts";
import { lineFaults, type LineFault } from "./line-faults.ts";

/** A request as spans of its line's bytes. */
export interface RequestLine {
  readonly bytes: Buffer;
  /** The custom_id as JSON text, with quotes and escapes as written. */
  readonly customId: Buffer;
  readonly body: Member;
  /** Every top-level `model` of the body, including duplicates. */
  readonly models: readonly Member[];
  /** Null if the body has no model, which is optional for moderations and images. */
  readonly model: string | null;
  /** The body's `input`, if it has one. */
  readonly input: Member | undefined;
}

/** Returns the request, or all faults of the line. `endpoint` is the endpoint of the batch. */
export function readRequestLine(bytes: Buffer, endpoint: BatchEndpoint): RequestLine | LineFault[] {
  if (!isUtf8(bytes)) return [lineFaults.notUtf8()];
  const members = scanObject(bytes);
  if (members === null) return [isJson(bytes) ? lineFaults.notObject() : lineFaults.notJson()];
  const body = present(bytes, members, "body");
  const inside = body === undefined ? null : scanObject(bytes, body.start, body.end);
  const faults = [
    ...checkCustomId(bytes, members),
    ...checkMethod(bytes, members),
    ...checkUrl(bytes, members, endpoint),
    ...(body === undefined ? [lineFaults.missing("body")] : checkBody(bytes, inside, endpoint)),
  ];
  const request = faults.length > 0 ? null : requestOf(bytes, members, inside);
  return request ?? faults;
}

/** Parses a line that was validated before. Throws for any other line. */
export function toRequestLine(bytes: Buffer): RequestLine {
  const members = scanObject(bytes) ?? [];
  const body = lastMember(members, "body");
  const request = requestOf(bytes, members, body === undefined ? null : scanObject(bytes, body.start, body.end));
  if (request === null) throw new Error("this line did not pass validation");
  return request;
}

/** Returns null if a part of the request is missing. */
function requestOf(bytes: Buffer, members: readonly Member[], inside: readonly Member[] | null): RequestLine | null {
  const customId = lastMember(members, "custom_id");
  const body = lastMember(members, "body");
  if (customId === undefined || body === undefined || inside === null) return null;
  const models = inside.filter((member) => member.key === "model");
  const last = models.at(-1);
  return {
    bytes,
    customId: bytes.subarray(customId.start, customId.end),
    body,
    models,
    model: last === undefined || isNull(bytes, last) ? null : readText(bytes, last),
    input: lastMember(inside, "input"),
  };
}

/** Returns the bytes to send: the body's bytes as in the line, except for the model's name if a route replaces it. */
export function bodyToSend(request: RequestLine, model: string | null): Buffer {
  const { bytes, body } = request;
  if (model === null || model === request.model || request.models.length === 0)
    return bytes.subarray(body.start, body.end);
  const name = Buffer.from(JSON.stringify(model));
  const pieces: Buffer[] = [];
  let from = body.start;
  for (const member of request.models) {
    pieces.push(bytes.subarray(from, member.start), name);
    from = member.end;
  }
  pieces.push(bytes.subarray(from, body.end));
  return Buffer.concat(pieces);
}

function checkString(bytes: Buffer, members: readonly Member[], param: string): LineFault[] {
  const member = present(bytes, members, param);
  if (member === undefined) return [lineFaults.missing(param)];
  return isText(bytes, member) ? [] : [lineFaults.wrongType(param, "a string")];
}

/** Contract §4.1 does not say how OpenAI treats empty and long ids. An empty id is a fault, like a missing one. */
function checkCustomId(bytes: Buffer, members: readonly Member[]): LineFault[] {
  const faults = checkString(bytes, members, "custom_id");
  const id = lastMember(members, "custom_id");
  if (faults.length > 0 || id === undefined) return faults;
  const written = id.end - id.start - 2;
  if (written === 0) return [lineFaults.emptyId()];
  // A character takes at least one byte, so a short text needs no parsing.
  const isLong = written > MAX_CUSTOM_ID_LENGTH && readText(bytes, id).length > MAX_CUSTOM_ID_LENGTH;
  return isLong ? [lineFaults.longId(MAX_CUSTOM_ID_LENGTH)] : [];
}

function checkMethod(bytes: Buffer, members: readonly Member[]): LineFault[] {
  const faults = checkString(bytes, members, "method");
  const method = lastMember(members, "method");
  if (faults.length > 0 || method === undefined) return faults;
  return readText(bytes, method) === "POST" ? [] : [lineFaults.wrongMethod()];
}

function checkUrl(bytes: Buffer, members: readonly Member[], endpoint: BatchEndpoint): LineFault[] {
  const faults = checkString(bytes, members, "url");
  const url = lastMember(members, "url");
  if (faults.length > 0 || url === undefined) return faults;
  return readText(bytes, url) === endpoint ? [] : [lineFaults.wrongUrl()];
}

function checkBody(bytes: Buffer, inside: readonly Member[] | null, endpoint: BatchEndpoint): LineFault[] {
  if (inside === null) return [lineFaults.wrongType("body", "an object")];
  const faults = endpointFacts(endpoint)
    .requiredFields.filter((param) => present(bytes, inside, param) === undefined)
    .map((param) => lineFaults.missing(`body.${param}`));
  const model = present(bytes, inside, "model");
  if (model !== undefined && !isText(bytes, model)) faults.push(lineFaults.wrongType("body.model", "a string"));
  const stream = present(bytes, inside, "stream");
  if (stream !== undefined && bytes.toString("latin1", stream.start, stream.end) !== "false") {
    faults.push(lineFaults.streaming(endpoint));
  }
  return faults;
}

/** Returns the member with that key, unless its value is null. */
function present(bytes: Buffer, members: readonly Member[], key: string): Member | undefined {
  const member = lastMember(members, key);
  return member === undefined || isNull(bytes, member) ? undefined : member;
}

function isNull(bytes: Buffer, member: Member): boolean {
  return bytes[member.start] === 0x6e;
}

function isText(bytes: Buffer, member: Member): boolean {
  return bytes[member.start] === 0x22;
}

function readText(bytes: Buffer, member: Member): string {
  return readString(bytes, member.start, member.end);
}
