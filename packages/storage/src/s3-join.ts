/** Joins pieces of objects into one on an S3 server, which copies the large pieces by itself. */
import { setMaxListeners } from "node:events";
import { toRuns } from "./join-runs.ts";
import type { JoinSource, ObjectInfo } from "./object-store.ts";
import { planParts, type PartLimits } from "./part-plan.ts";
import { createJoinUpload, type S3Target } from "./s3-join-upload.ts";

/** Writes the object or leaves nothing; rejects with what went wrong first, `signal`'s reason included. */
export async function joinOnS3(
  target: S3Target,
  sources: Iterable<JoinSource> | AsyncIterable<JoinSource>,
  { limits, signal }: { readonly limits: PartLimits; readonly signal: AbortSignal | undefined },
): Promise<ObjectInfo> {
  const stop = new AbortController();
  // Every request under way listens: more than Node takes for a leak.
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
    stop.abort(error); // without effect where something else was the reason to stop
    await upload.discard();
    throw stop.signal.reason;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
