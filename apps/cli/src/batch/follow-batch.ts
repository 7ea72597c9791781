/** Watches a batch until it is final. */
import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";

export type Batch = OpenAI.Batch;

/** Asked often at first, when a small batch is done any moment, then a tenth of the time it has taken. */
const SHORTEST_POLL_MS = 100;
const LONGEST_POLL_MS = 5_000;

const POLL_TIMEOUT_MS = 30_000;

/** A server that restarts is waited for; the batch goes on when it is back. */
const AWAY_TIMEOUT_MS = 10 * 60_000;

/** True once nothing more happens to the batch. */
export function isFinal(batch: Batch): boolean {
  return ["completed", "failed", "expired", "cancelled"].includes(batch.status);
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onChange: (batch: Batch) => void;
  /** Called when the server does not answer, with the reason, and null when it does again. */
  readonly onAway: (reason: string | null) => void;
}

/** Resolves with the final batch. Rejects when `signal` aborts, and with the SDK's error when the server refuses. */
export async function followBatch(client: OpenAI, id: string, options: FollowOptions): Promise<Batch> {
  const started = performance.now();
  let awaySince: number | null = null;
  for (;;) {
    try {
      const batch = await client.batches.retrieve(id, {
        timeout: POLL_TIMEOUT_MS,
        // One for each call: the SDK leaves its listener on the signal it is given.
        signal: AbortSignal.any([options.signal]),
      });
      if (awaySince !== null) options.onAway(null);
      awaySince = null;
      options.onChange(batch);
      if (isFinal(batch)) return batch;
    } catch (error) {
      awaySince ??= performance.now();
      if (!isAway(error) || performance.now() - awaySince > AWAY_TIMEOUT_MS) throw error;
      options.onAway(error instanceof Error ? error.message : String(error));
    }
    const pauseMs = (performance.now() - started) / 10;
    await delay(Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, pauseMs)), undefined, { signal: options.signal });
  }
}

function isAway(error: unknown): boolean {
  if (error instanceof OpenAI.APIUserAbortError) return false;
  if (error instanceof OpenAI.APIConnectionError) return true;
  return error instanceof OpenAI.APIError && Number(error.status) >= 500;
}
