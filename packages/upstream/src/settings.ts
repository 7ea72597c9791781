/** The settings of one upstream: its address, credentials and limits. */
import { DAY_SECONDS, MAX_SLICE_LINES } from "@nightshift/domain";

export interface UpstreamSettings {
  /** A name that matches `[a-z0-9][a-z0-9-]{0,39}`, because it is part of queue names and metric labels. */
  readonly name: string;
  /** An http or https URL that replaces `/v1`: the endpoint `/v1/x` is `/x` below it. A query string is kept. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  /** The maximum number of requests in flight, across all workers. */
  readonly concurrency: number;
  /** The maximum number of requests per minute, across all workers. Null if there is no limit. */
  readonly requestsPerMinute: number | null;
  /** The timeout of one exchange, from the call to the last byte of the reply. */
  readonly timeoutMs: number;
  /** The number of attempts after which a line fails, including the first attempt. */
  readonly maxAttempts: number;
  /** The number of lines of one slice. Null if the worker chooses it from the measured time of a line. */
  readonly sliceLines: number | null;
  /** Headers that every request has, in addition to the client's own. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The defaults of an upstream's settings. */
export const DEFAULTS = { concurrency: 256, timeoutSeconds: 600, maxAttempts: 5 } as const;

/** The range of each number. A request that takes a day has used up the default completion window. */
export const RANGES = {
  concurrency: { minimum: 1, maximum: 100_000 },
  requestsPerMinute: { minimum: 1, maximum: 100_000_000 },
  timeoutSeconds: { minimum: 1, maximum: DAY_SECONDS },
  maxAttempts: { minimum: 1, maximum: 100 },
  sliceLines: { minimum: 1, maximum: MAX_SLICE_LINES },
} as const;
