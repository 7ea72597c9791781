/** The thread that checks a large input file: chunks in, one report out. Its memory is bounded apart from the worker's. */
import { parentPort, workerData } from "node:worker_threads";
import type { BatchEndpoint, InputReport } from "@nightshift/domain";
// Not by the package's front door, behind which all schemas are compiled: the thread starts in half the time.
import { createInputValidator } from "@nightshift/domain/input-validator";

export type ValidationReply =
  { readonly kind: "taken"; readonly isHopeless: boolean } | { readonly kind: "report"; readonly report: InputReport };

const validator = createInputValidator((workerData as { endpoint: BatchEndpoint }).endpoint);

parentPort?.on("message", (chunk: Uint8Array | null) => {
  const reply: ValidationReply =
    chunk === null
      ? { kind: "report", report: validator.end() }
      : (validator.push(chunk), { kind: "taken", isHopeless: validator.isHopeless() });
  parentPort?.postMessage(reply);
});
