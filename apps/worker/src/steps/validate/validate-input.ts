/** Input object → InputReport. Small files are checked on the spot, large ones in a thread of their own. */
import { createInputValidator, type InputReport } from "@nightshift/domain";
import type { ObjectStore } from "@nightshift/storage";
import type { InputRules } from "./validation-thread.ts";
import type { ValidationThreads } from "./validation-threads.ts";

/** Up to here checking takes less than starting a thread does (about 50 ms). */
const INLINE_BYTES = 256 * 1024;

/** Rejects with ObjectNotFoundError, or when the store is away; nothing was changed then. */
export async function validateInput(
  objects: ObjectStore,
  threads: ValidationThreads,
  input: { blob: string; bytes: number },
  rules: InputRules,
): Promise<InputReport> {
  if (input.bytes > INLINE_BYTES) return threads.validate(() => objects.openRead(input.blob), rules);
  const validator = createInputValidator(rules.endpoint, rules.maxLines);
  validator.push(await objects.read(input.blob));
  return validator.end();
}
