/** Polls a batch until it has ended. */
import { setTimeout as delay } from "node:timers/promises";
import { isFinal } from "@nightshift/domain";
import OpenAI from "openai";

export type Batch = OpenAI.Batch;

/** Polls often at first, because a small batch ends soon. Later it waits a tenth of the time that has passed. */
const SHORTEST_POLL_MS = 100;
const LONGEST_POLL_MS = 5_000;

const POLL_TIMEOUT_MS = 30_000;

/** The time to wait for an unavailable server. The batch continues when the server has restarted. */
const UNAVAILABLE_TIMEOUT_MS = 10 * 60_000;

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onChange: (batch: Batch) => void;
  /** Called with the reason when the server is unavailable, and with null when it is available again. */
  readonly onUnavailable: (reason: string | null) => void;
}

/** Resolves with the ended batch. Rejects when `signal` aborts, and with the SDK's error if the server refuses. */
export async function followBatch(client: OpenAI, id: string, options: FollowOptions): Promise<Batch> {
  const started = performance.now();
  let unavailableSince: number | null = null;
  for (;;) {
    try {
      const batch = await client.batches.retrieve(id, {
        timeout: POLL_TIMEOUT_MS,
        // Each call gets a new signal, because the SDK leaves its listener on the signal.
        signal: AbortSignal.any([options.signal]),
      });
      if (unavailableSince !== null) options.onUnavailable(null);
      unavailableSince = null;
      options.onChange(batch);
      if (isFinal(batch.status)) return batch;
    } catch (error) {
      unavailableSince ??= performance.now();
      if (!isUnavailable(error) || performance.now() - unavailableSince > UNAVAILABLE_TIMEOUT_MS) throw error;
      options.onUnavailable(error instanceof Error ? error.message : String(error));
    }
    const pauseMs = (performance.now() - started) / 10;
    await delay(Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, pauseMs)), undefined, { signal: options.signal });
  }
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof OpenAI.APIUserAbortError) return false;
  if (error instanceof OpenAI.APIConnectionError) return true;
  return error instanceof OpenAI.APIError && Number(error.status) >= 500;
}
