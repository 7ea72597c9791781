/** How long the files of batches live where nobody says it: contract §1.1 and §2. Files of other purposes live for ever. */
import { Type } from "@sinclair/typebox";
import { EXPIRES_AFTER } from "./limits.ts";

const DAY_SECONDS = 86_400;

/** The variable NIGHTSHIFT_FILE_EXPIRY_DAYS, for the API (input files) and the workers (output and error files) alike. */
export const FileExpiryDays = Type.Integer({
  minimum: 0,
  maximum: 3_650,
  default: EXPIRES_AFTER.batchDefaultSeconds / DAY_SECONDS,
  description: "days that files of batches live, from 1 to 3650, or 0 for ever",
});

/** Seconds from a file's creation; null: it does not expire. */
export function batchFileLife(expiryDays: number): number | null {
  return expiryDays === 0 ? null : expiryDays * DAY_SECONDS;
}
