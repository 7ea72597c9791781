/** Every number that the product promises, each with its source. Sizes are bytes, times are milliseconds unless named. */

export const DAY_SECONDS = 86_400;
export const DAY_MS = DAY_SECONDS * 1_000;

/** Largest input file of a batch: the 200 MB of contract §4.2, read as MiB so that nothing OpenAI takes is refused here. */
export const MAX_BATCH_FILE_BYTES = 200 * 1024 * 1024;

/** Largest file of any other purpose: contract §1.1. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

/** Longest name of a file, in UTF-16 code units: as `filename*` of its download it still fits the 16 KiB of headers that Node's clients take. */
export const MAX_FILENAME_LENGTH = 1_024;

/** Largest file that is uploaded in parts, 8 GB read as GiB; one for a batch keeps its own limit: contract §1.2. */
export const MAX_UPLOAD_BYTES = 8 * 1024 * 1024 * 1024;

/** Largest part of an upload: the 64 MiB that Python's SDK sends, contract §1.2. */
export const MAX_UPLOAD_PART_BYTES = 64 * 1024 * 1024;

/** Most parts of one upload. The contract names none; this is S3's number for its own. */
export const MAX_UPLOAD_PARTS = 10_000;

/** How often the declared bytes may be stored as parts: a client sends a part again when a reply was lost. */
export const MAX_UPLOAD_COPIES = 4;

/** Seconds from the creation of an upload to its expiry: contract §1.2. */
export const UPLOAD_LIFE_SECONDS = 3_600;

/** Requests of one batch: contract §4.2. */
export const MAX_BATCH_LINES = 50_000;

/** Embedding inputs over all requests of one batch: contract §4.2. */
export const MAX_EMBEDDING_INPUTS = 50_000;

/** Longest custom_id, in UTF-16 code units. OpenAI names none; each result line repeats it. */
export const MAX_CUSTOM_ID_LENGTH = 512;

/** Longest line. OpenAI names none; a base64 image of 20 MB must pass, an endless line must not fill memory. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** Entries of `errors.data` of a failed batch; one more entry says how many were left out. */
export const MAX_REPORTED_ERRORS = 100;

/** Default and largest page of GET /v1/batches: contract §1.3. */
export const BATCH_PAGE = { default: 20, max: 100 } as const;

/** Default and largest page of a batch's history: ours, docs/extensions.md. */
export const HISTORY_PAGE = { default: 20, max: 100 } as const;

/** Default and largest page of GET /v1/files: contract §1.1. */
export const FILE_PAGE = { default: 10_000, max: 10_000 } as const;

/** Pairs, key length and value length of `metadata`: contract §1.3. */
export const METADATA = { maxPairs: 16, maxKeyLength: 64, maxValueLength: 512 } as const;

/** Seconds of `expires_after`, and the default of files with purpose `batch`: contract §1.1. */
export const EXPIRES_AFTER = { minSeconds: 3_600, maxSeconds: 2_592_000, batchDefaultSeconds: 2_592_000 } as const;

/** Hours that a retried line of a finished batch may take before it is given up, as long as the usual completion window. */
export const RETRY_HOURS = 24;

/** Seconds that the results of a finished batch's retried lines wait for the others, so that its files are rebuilt once for all. */
export const RETRY_GATHER_SECONDS = 60;

/** Most lines of one slice: one bit each in a Postgres bigint. */
export const MAX_SLICE_LINES = 64;

/** How long an Idempotency-Key stands for what it made: ours, docs/extensions.md. Its length is in characters. */
export const IDEMPOTENCY_KEY = { keptSeconds: DAY_SECONDS, maxLength: 255 } as const;

/** Lines of one page of a batch's results; a page ends earlier where its lines have `maxBytes`: ours, docs/extensions.md. */
export const RESULT_PAGE = { default: 100, max: 1_000, maxBytes: 4 * 1024 * 1024, maxWaitSeconds: 30 } as const;

/** How long after its end a batch's results can be read line by line; its files stay for as long as they were asked to. */
export const RESULT_LOG_KEPT_SECONDS = DAY_SECONDS;

/** How long a webhook is tried, from when it was first due: contract §1.4. */
export const WEBHOOK_GIVE_UP_MS = 72 * 3_600_000;

/** Endpoints that one tenant may have: each ended batch is a request to every one of them. Our own limit. */
export const MAX_WEBHOOK_ENDPOINTS = 20;

/** Deliveries that GET /admin/v1/webhooks/{id}/deliveries shows, the newest. */
export const MAX_SHOWN_DELIVERIES = 100;
