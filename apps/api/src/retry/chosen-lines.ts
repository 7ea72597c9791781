/** Finds the lines that the body of a retry request selects: by number, by custom_id, or all. */
import type { BatchView } from "@nightshift/db";
import { errors, MAX_BATCH_LINES, MAX_LINE_BYTES, toRequestLine } from "@nightshift/domain";
import { type ObjectStore, readLines } from "@nightshift/storage";
import { type Static, Type } from "@sinclair/typebox";
import { onObjectStore } from "../objects.ts";
import { rethrowMissingInput } from "./retry-lines.ts";

/**
 * The body of a retry request. OpenAI has no such request. With both lists, it selects the lines that are in either
 * list.
 */
export const RetryBatchBody = Type.Object(
  {
    custom_ids: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: MAX_BATCH_LINES })),
    lines: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1 }), {
        minItems: 1,
        maxItems: MAX_BATCH_LINES,
        description: "Numbers of requests in the input file, counted from 1 without blank lines.",
      }),
    ),
  },
  { $id: "RetryBatchRequest", additionalProperties: false },
);
export type RetryBatchBody = Static<typeof RetryBatchBody>;

/**
 * Returns the selected lines, counted from 0, or null for all failed lines. Throws a RequestError for a number or a
 * custom_id that the batch does not have. To find custom_ids, it reads the input once, in bounded memory.
 */
export async function chosenLines(
  objects: Pick<ObjectStore, "openRead">,
  batch: BatchView,
  body: RetryBatchBody,
): Promise<ReadonlySet<number> | null> {
  if (body.lines === undefined && body.custom_ids === undefined) return null;
  const chosen = new Set<number>();
  for (const line of body.lines ?? []) {
    if (line > batch.total) throw errors.outOfRange("lines", `the batch has ${String(batch.total)} requests`);
    chosen.add(line - 1);
  }
  const { inputBlob } = batch;
  if (body.custom_ids === undefined) return chosen;
  if (inputBlob === null) throw errors.cannotRetryWithout("input");
  const missing = new Set(body.custom_ids);
  const find = async (): Promise<void> => {
    for await (const { customId, line } of customIdsOf(objects, inputBlob)) {
      if (missing.delete(customId)) chosen.add(line);
      if (missing.size === 0) return;
    }
  };
  await onObjectStore(find).catch(rethrowMissingInput);
  if (missing.size === 0) return chosen;
  const [first = ""] = missing;
  throw errors.outOfRange("custom_ids", `the batch has no request with the custom_id '${first.slice(0, 200)}'`);
}

async function* customIdsOf(
  objects: Pick<ObjectStore, "openRead">,
  inputBlob: string,
): AsyncGenerator<{ customId: string; line: number }> {
  let line = 0;
  for await (const lines of readLines(objects, inputBlob, MAX_LINE_BYTES)) {
    for (const { bytes } of lines) {
      if (bytes !== null) {
        yield { customId: JSON.parse(toRequestLine(bytes).customId.toString("utf8")) as string, line };
      }
      line += 1;
    }
  }
}
