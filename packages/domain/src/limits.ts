/** Every number that the product promises, each with its source. Sizes are bytes, times are milliseconds unless named. */

/** Largest input file of a batch: the guide's "100MB per file", read as MiB so that 50,000 lines of 2 KiB fit. */
export const MAX_BATCH_FILE_BYTES = 100 * 1024 * 1024;

/** Largest file of any other purpose: contract §1.1. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

/** Requests of one batch: contract §4.2. */
export const MAX_BATCH_LINES = 50_000;

/** Longest line. OpenAI names none; a base64 image of 20 MB must pass, an endless line must not fill memory. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** Entries of `errors.data` of a failed batch; one more entry says how many were left out. */
export const MAX_REPORTED_ERRORS = 100;

/** Default and largest page of GET /v1/batches: contract §1.3. */
export const BATCH_PAGE = { default: 20, max: 100 } as const;

/** Default and largest page of GET /v1/files: contract §1.1. */
export const FILE_PAGE = { default: 10_000, max: 10_000 } as const;

/** Pairs, key length and value length of `metadata`: contract §1.3. */
export const METADATA = { maxPairs: 16, maxKeyLength: 64, maxValueLength: 512 } as const;

/** Seconds of `expires_after`, and the default of files with purpose `batch`: contract §1.1. */
export const EXPIRES_AFTER = { minSeconds: 3_600, maxSeconds: 2_592_000, batchDefaultSeconds: 2_592_000 } as const;

/** The completion windows that a batch may ask for, in seconds: contract §1.3. */
export const COMPLETION_WINDOWS: Readonly<Record<string, number>> = { "24h": 86_400 };

/** Most lines of one slice: one bit each in a Postgres bigint. */
export const MAX_SLICE_LINES = 64;

/** How long a webhook is tried, from when it was first due: contract §1.4. */
export const WEBHOOK_GIVE_UP_MS = 72 * 3_600_000;

/** Endpoints that one tenant may have: each ended batch is a request to every one of them. Our own limit. */
export const MAX_WEBHOOK_ENDPOINTS = 20;

/** Default and largest page of GET /admin/v1/webhooks. */
export const WEBHOOK_PAGE = { default: 20, max: 100 } as const;

/** Deliveries that GET /admin/v1/webhooks/{id}/deliveries shows, the newest. */
export const MAX_SHOWN_DELIVERIES = 100;
