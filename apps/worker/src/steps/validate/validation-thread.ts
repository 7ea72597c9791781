/** The thread that checks large input files, one after the other: chunks in, one report out. Its memory is bounded apart from the worker's. */
import { parentPort } from "node:worker_threads";
import type { BatchEndpoint, InputReport } from "@nightshift/domain";
// Not by the package's front door, behind which all schemas are compiled: the thread starts in half the time.
import { createInputValidator, type InputValidator } from "@nightshift/domain/input-validator";

/** What a file is checked for, besides what holds for every file. */
export interface InputRules {
  readonly endpoint: BatchEndpoint;
  /** Requests that the batch may have. */
  readonly maxLines: number;
}

export type ValidationRequest =
  | { readonly kind: "begin"; readonly rules: InputRules }
  | { readonly kind: "chunk"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end" };

/** One for each chunk, then one for the end. */
export type ValidationReply =
  { readonly kind: "taken"; readonly isHopeless: boolean } | { readonly kind: "report"; readonly report: InputReport };

let validator: InputValidator | null = null;

function answer(request: ValidationRequest): ValidationReply | null {
  if (request.kind === "begin") {
    validator = createInputValidator(request.rules.endpoint, request.rules.maxLines);
    return null;
  }
  if (validator === null) throw new Error("a file has to begin first");
  if (request.kind === "chunk") {
    validator.push(request.bytes);
    return { kind: "taken", isHopeless: validator.isHopeless() };
  }
  const report = validator.end();
  validator = null;
  return { kind: "report", report };
}

parentPort?.on("message", (request: ValidationRequest) => {
  const reply = answer(request);
  if (reply !== null) parentPort?.postMessage(reply);
});
