/** Every fault of an input file. Codes, messages and params follow contract §3.4, verbatim where OpenAI's are known. */
import { type BatchEndpoint, endpointFacts } from "./endpoints.ts";
import { MAX_REPORTED_ERRORS } from "./limits.ts";
import type { BatchError } from "./wire/batch.ts";

/** A fault without its line number. */
export type LineFault = Omit<BatchError, "line">;

const fault = (code: string, message: string, param: string | null = null): LineFault => ({ code, message, param });

export const lineFaults = {
  notJson: (): LineFault => fault("invalid_json_line", "This line is not parseable as valid JSON."),
  notUtf8: (): LineFault =>
    fault("invalid_json_line", "This line is not parseable as valid JSON. Its bytes are not valid UTF-8."),
  notObject: (): LineFault =>
    fault(
      "invalid_json_line",
      "This line is not a JSON object. Each line must be an object with 'custom_id', 'method', 'url' and 'body'.",
    ),
  missing: (param: string): LineFault =>
    fault("missing_required_parameter", `Missing required parameter: '${param.replace(/^body\./, "")}'.`, param),
  wrongType: (param: string, expected: string): LineFault =>
    fault("invalid_type", `Invalid type for '${param}': expected ${expected}.`, param),
  emptyId: (): LineFault => fault("invalid_value", "Invalid value for 'custom_id': it must not be empty.", "custom_id"),
  longId: (maxLength: number): LineFault =>
    fault(
      "invalid_value",
      `Invalid value for 'custom_id': it must not be longer than ${String(maxLength)} characters.`,
      "custom_id",
    ),
  wrongMethod: (): LineFault =>
    fault("invalid_value", "Invalid value for 'method': only 'POST' is supported by the Batch API.", "method"),
  wrongUrl: (): LineFault =>
    fault("invalid_url", "The URL provided for this request does not match the batch endpoint.", "url"),
  streaming: (endpoint: BatchEndpoint): LineFault =>
    fault(
      "streaming_unsupported",
      `${endpointFacts(endpoint).name}: Streaming is not supported in the Batch API.`,
      "body.stream",
    ),
  unknownModel: (model: string): LineFault =>
    fault("model_not_found", `The provided model '${model}' is not supported by the Batch API.`, "body.model"),
  otherModel: (model: string): LineFault =>
    fault(
      "mismatched_model",
      `The model '${model}' for this request does not match the rest of the batch. Each batch must contain requests for ` +
        "a single model.",
      "body.model",
    ),
  duplicateId: (): LineFault =>
    fault(
      "duplicate_custom_id",
      "The custom_id for this request is a duplicate of another request. The custom_id parameter must be unique for " +
        "each request in a batch.",
      "custom_id",
    ),
  tooLong: (maxBytes: number): LineFault =>
    fault("request_too_large", `This line is too large: at most ${String(maxBytes)} bytes are accepted.`),
} as const;

/** Faults of the whole file. They have no line number. */
export const fileFaults = {
  missingFile: (id: string, tenant: string): BatchError => ({
    ...fault(
      "invalid_request",
      `Cannot find file ${id}, or organization ${tenant} does not have access to it.`,
      "file_id",
    ),
    line: null,
  }),
  empty: (): BatchError => ({
    ...fault("empty_file", "The input file has no requests. Upload a file with one JSON object on each line."),
    line: null,
  }),
  tooManyLines: (maxLines: number): BatchError => ({
    ...fault(
      "too_many_tasks",
      `The input file has more than ${String(maxLines)} requests. Split it into several batches.`,
    ),
    line: null,
  }),
  tooManyInputs: (maxInputs: number): BatchError => ({
    ...fault(
      "too_many_inputs",
      `The requests of the input file have more than ${String(maxInputs)} embedding inputs in total. Split it into several batches.`,
    ),
    line: null,
  }),
  tooLarge: (maxBytes: number): BatchError => ({
    ...fault(
      "file_too_large",
      `File is too large. The input file of a batch may have at most ${String(maxBytes)} bytes.`,
    ),
    line: null,
  }),
  moreErrors: (omitted: number): BatchError => ({
    ...fault(
      "too_many_errors",
      `Only the first ${String(MAX_REPORTED_ERRORS)} errors are listed; ${String(omitted)} more were found.`,
    ),
    line: null,
  }),
} as const;
