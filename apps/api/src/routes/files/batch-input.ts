/** What POST /v1/files demands of a file with purpose `batch` before it is a file: contract §1.1 and §5.2. */
import path from "node:path";
import { errors } from "@nightshift/domain";
import type { FirstLineVerdict } from "./first-line.ts";

/**
 * Throws for a name with another extension than `.jsonl`, which the contract has refused whatever is inside. A name
 * without any extension passes: Python's SDK sends `upload` for raw bytes, and OpenAI was recorded to accept it.
 */
export function refuseWrongExtension(filename: string): void {
  const extension = path.extname(filename).toLowerCase();
  if (extension !== "" && extension !== ".jsonl") throw errors.invalidFileFormat();
}

/** Throws where the first line is not JSON, which includes a file without any line. */
export function refuseWrongFirstLine(verdict: FirstLineVerdict): void {
  if (verdict === "not_json") throw errors.invalidFileFormat();
}
