/** The thread that validates large input files, one after the other. It takes chunks and returns a report. */
import { parentPort } from "node:worker_threads";
import type { BatchEndpoint, InputReport } from "@nightshift/domain";
// This import avoids the package's index, which compiles all schemas, and so halves the start time of the thread.
import { createInputValidator, type InputValidator } from "@nightshift/domain/input-validator";

/** The rules for one file, in addition to the rules for every file. */
export interface InputRules {
  readonly endpoint: BatchEndpoint;
  /** Maximum number of requests. */
  readonly maxLines: number;
}

export type ValidationRequest =
  | { readonly kind: "begin"; readonly rules: InputRules }
  | { readonly kind: "chunk"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end" };

/**
 * The thread sends one reply for each chunk, then one for the end. `isHopeless` is true if no further chunk can change
 * the verdict.
 */
export type ValidationReply =
  { readonly kind: "taken"; readonly isHopeless: boolean } | { readonly kind: "report"; readonly report: InputReport };

let validator: InputValidator | null = null;

function answer(request: ValidationRequest): ValidationReply | null {
  if (request.kind === "begin") {
    validator = createInputValidator(request.rules.endpoint, request.rules.maxLines);
    return null;
  }
  if (validator === null) throw new Error("a message arrived before the file was started");
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
