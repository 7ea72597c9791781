/** Validates an input file chunk by chunk and indexes where its requests are. Does no I/O of its own. */
import { hash } from "node:crypto";
import { type BatchEndpoint, endpointFacts } from "./endpoints.ts";
import { scanArray } from "./json-scan.ts";
import { createLineSplitter, type RawLine } from "./jsonl.ts";
import { fileFaults, lineFaults, type LineFault } from "./line-faults.ts";
import { createLineIndex, readSpan } from "./line-index.ts";
import { MAX_BATCH_LINES, MAX_EMBEDDING_INPUTS, MAX_LINE_BYTES, MAX_REPORTED_ERRORS } from "./limits.ts";
import { readRequestLine, type RequestLine } from "./request-line.ts";
import type { BatchError } from "./wire/batch.ts";

export interface InputReport {
  /** At most 100 errors in line order, and one more that says how many were left out. Empty if the file is valid. */
  readonly errors: BatchError[];
  readonly total: number;
  /** The model that all requests name. Null if they name none. */
  readonly model: string | null;
  /** The number of the first line that names the model. */
  readonly modelLine: number;
  /** The input index: see line-index.ts. */
  readonly index: Buffer;
  /** The offset of the first request. */
  readonly firstByte: number;
}

export interface InputValidator {
  push(chunk: Uint8Array): void;
  /** Returns true once the file has too many lines: nothing that follows can make it valid. */
  isHopeless(): boolean;
  end(): InputReport;
}

/** Collects all errors for one report. Memory holds counters, one hash for each custom_id, and the index. */
export function createInputValidator(endpoint: BatchEndpoint, maxLines: number = MAX_BATCH_LINES): InputValidator {
  const { countsInputs = false } = endpointFacts(endpoint);
  const splitter = createLineSplitter(MAX_LINE_BYTES);
  const index = createLineIndex();
  const ids = new Set<string>();
  const errors: BatchError[] = [];
  let omitted = 0;
  let total = 0;
  let inputs = 0;
  let model: string | null | undefined;
  let modelLine = 1;

  const report = (faults: readonly LineFault[], line: number): void => {
    for (const fault of faults) {
      if (errors.length < MAX_REPORTED_ERRORS) errors.push({ ...fault, line });
      else omitted += 1;
    }
  };

  const acrossLines = (request: RequestLine, line: number): LineFault[] => {
    const faults: LineFault[] = [];
    if (countsInputs) inputs += countInputs(request);
    const id = fingerprint(request.customId);
    if (ids.has(id)) faults.push(lineFaults.duplicateId());
    ids.add(id);
    if (model === undefined) {
      model = request.model;
      modelLine = line;
    } else if (model !== request.model) {
      faults.push(lineFaults.otherModel(request.model ?? ""));
    }
    return faults;
  };

  const check = (line: RawLine): void => {
    total += 1;
    if (total > maxLines) return;
    index.add(line);
    if (line.bytes === null) {
      report([lineFaults.tooLong(MAX_LINE_BYTES)], line.number);
      return;
    }
    const request = readRequestLine(line.bytes, endpoint);
    report(Array.isArray(request) ? request : acrossLines(request, line.number), line.number);
  };

  return {
    push(chunk) {
      for (const line of splitter.push(chunk)) check(line);
    },
    isHopeless: () => total > maxLines,
    end() {
      for (const line of splitter.end()) check(line);
      const listed = [...faultsOfFile(total, maxLines, inputs), ...errors];
      if (omitted > 0) listed.push(fileFaults.moreErrors(omitted));
      const bytes = index.toBuffer();
      return {
        errors: listed,
        total,
        model: model ?? null,
        modelLine,
        index: bytes,
        firstByte: bytes.length > 0 ? readSpan(bytes, 0).offset : 0,
      };
    },
  };
}

function faultsOfFile(total: number, maxLines: number, inputs: number): BatchError[] {
  if (total === 0) return [fileFaults.empty()];
  if (total > maxLines) return [fileFaults.tooManyLines(maxLines)];
  return inputs > MAX_EMBEDDING_INPUTS ? [fileFaults.tooManyInputs(MAX_EMBEDDING_INPUTS)] : [];
}

/**
 * Returns 128 bits of SHA-256 over the id's text, so that 50,000 ids of any length take a few MB. Escapes are resolved
 * first, because "a" and "\u0061" are the same id to every client.
 */
function fingerprint(customId: Buffer): string {
  const text = customId.includes(0x5c) ? (JSON.parse(customId.toString("utf8")) as string) : customId.subarray(1, -1);
  return hash("sha256", text, "base64").slice(0, 22);
}

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;

/**
 * Counts the texts that a request asks to embed. A single text and a list of token numbers count as one; a list of
 * texts or of token lists counts its items. The upstream refuses any other value, which counts as one.
 */
function countInputs({ bytes, input }: RequestLine): number {
  const items = input === undefined ? null : scanArray(bytes, input.start, input.end);
  if (items === null) return 1;
  const isList = items.length === 0 || items.first === QUOTE || items.first === OPEN_BRACKET;
  return isList ? items.length : 1;
}
