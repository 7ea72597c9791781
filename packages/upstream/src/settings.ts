/** What is known about one inference server before the first request: where it is, how to greet it, how much it takes. */
import { DAY_SECONDS, MAX_SLICE_LINES } from "@nightshift/domain";

export interface UpstreamSettings {
  /** `[a-z0-9][a-z0-9-]{0,39}`: part of queue names and metric labels. */
  readonly name: string;
  /** An http or https URL that stands for `/v1`: the endpoint `/v1/x` is `/x` below it. A query string is kept. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  /** Requests in flight, over all workers together. */
  readonly concurrency: number;
  /** Over all workers together; null: as many as come. */
  readonly requestsPerMinute: number | null;
  /** For one whole exchange, from the call to the last byte of the reply. */
  readonly timeoutMs: number;
  /** How often a line is sent before it has failed, the first time included. */
  readonly maxAttempts: number;
  /** Lines of one child job; null: as many as suit the time that a line takes there. */
  readonly sliceLines: number | null;
  /** Sent with every request, besides those of the client itself. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What an upstream has where nobody said otherwise. */
export const DEFAULTS = { concurrency: 256, timeoutSeconds: 600, maxAttempts: 5 } as const;

/** Smallest and largest value of each number; the time-out is a day at most, because a line's batch lives no longer. */
export const RANGES = {
  concurrency: { minimum: 1, maximum: 100_000 },
  requestsPerMinute: { minimum: 1, maximum: 100_000_000 },
  timeoutSeconds: { minimum: 1, maximum: DAY_SECONDS },
  maxAttempts: { minimum: 1, maximum: 100 },
  sliceLines: { minimum: 1, maximum: MAX_SLICE_LINES },
} as const;
