/** Joins pieces of objects into one object on an S3 server, which copies the large pieces itself. */
import { setMaxListeners } from "node:events";
import { toRuns } from "./join-runs.ts";
import type { JoinSource, ObjectInfo } from "./object-store.ts";
import { planParts, type PartLimits } from "./part-plan.ts";
import { createJoinUpload, type S3Target } from "./s3-join-upload.ts";

/** Writes the object or leaves nothing. Rejects with the first error, which may be `signal`'s reason. */
export async function joinOnS3(
  target: S3Target,
  sources: Iterable<JoinSource> | AsyncIterable<JoinSource>,
  { limits, signal }: { readonly limits: PartLimits; readonly signal: AbortSignal | undefined },
): Promise<ObjectInfo> {
  const stop = new AbortController();
  // Every running request adds a listener, and Node warns of a leak above ten.
  setMaxListeners(0, stop.signal);
  const onAbort = (): void => {
    stop.abort(signal?.reason);
  };
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });

  const upload = createJoinUpload(target, stop);
  try {
    for await (const step of planParts(toRuns(sources, stop.signal), limits)) await upload.add(step);
    return await upload.finish();
  } catch (error) {
    stop.abort(error); // has no effect if `stop` is already aborted
    await upload.discard();
    throw stop.signal.reason;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
