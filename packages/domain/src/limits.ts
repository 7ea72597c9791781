/** Every limit that the product promises, with its source. Names say the unit; sizes are in bytes. */

export const DAY_SECONDS = 86_400;
export const DAY_MS = DAY_SECONDS * 1_000;

/**
 * Largest input file of a batch: the 200 MB of contract §4.2, read as MiB so that no file that OpenAI accepts is
 * refused.
 */
export const MAX_BATCH_FILE_BYTES = 200 * 1024 * 1024;

/** Largest file with any other purpose: contract §1.1. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

/**
 * Longest filename, in UTF-16 code units. As the `filename*` of a download it still fits in the 16 KiB of headers that
 * Node's clients accept.
 */
export const MAX_FILENAME_LENGTH = 1_024;

/** Largest file uploaded in parts: 8 GB read as GiB. Input files of batches keep their own limit: contract §1.2. */
export const MAX_UPLOAD_BYTES = 8 * 1024 * 1024 * 1024;

/** Largest part of an upload: the 64 MiB that Python's SDK sends, contract §1.2. */
export const MAX_UPLOAD_PART_BYTES = 64 * 1024 * 1024;

/** Most parts of one upload. The contract has no limit; this is S3's. */
export const MAX_UPLOAD_PARTS = 10_000;

/** How many times the declared bytes may be stored as parts: a client sends a part again when the reply was lost. */
export const MAX_UPLOAD_COPIES = 4;

/** Seconds from the creation of an upload to its expiry: contract §1.2. */
export const UPLOAD_LIFE_SECONDS = 3_600;

/** Requests of one batch: contract §4.2. */
export const MAX_BATCH_LINES = 50_000;

/** Embedding inputs in all requests of one batch together: contract §4.2. */
export const MAX_EMBEDDING_INPUTS = 50_000;

/** Longest custom_id, in UTF-16 code units. OpenAI documents no limit; each result line repeats the id. */
export const MAX_CUSTOM_ID_LENGTH = 512;

/** Longest line. OpenAI documents no limit. A base64 image of 20 MB must fit; an endless line must not fill memory. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** Most entries in `errors.data` of a failed batch. One more entry says how many were left out. */
export const MAX_REPORTED_ERRORS = 100;

/** Default and largest page of GET /v1/batches: contract §1.3. */
export const BATCH_PAGE = { default: 20, max: 100 } as const;

/** Default and largest page of a batch's history: docs/extensions.md. */
export const HISTORY_PAGE = { default: 20, max: 100 } as const;

/** Default and largest page of GET /v1/files: contract §1.1. */
export const FILE_PAGE = { default: 10_000, max: 10_000 } as const;

/** Pairs, key length and value length of `metadata`: contract §1.3. */
export const METADATA = { maxPairs: 16, maxKeyLength: 64, maxValueLength: 512 } as const;

/** Range of `expires_after`, and the default for files with purpose `batch`: contract §1.1. */
export const EXPIRES_AFTER = { minSeconds: 3_600, maxSeconds: 2_592_000, batchDefaultSeconds: 2_592_000 } as const;

/** Hours until a retried line of a finished batch is given up: as long as the usual completion window. */
export const RETRY_HOURS = 24;

/**
 * Seconds that the first results of a batch's retries wait for the others, so that its files are rebuilt once for all.
 */
export const RETRY_GATHER_SECONDS = 60;

/** Most lines of one slice: each has one bit in a Postgres bigint. */
export const MAX_SLICE_LINES = 64;

/** How long an Idempotency-Key is remembered, and its longest length in characters: docs/extensions.md. */
export const IDEMPOTENCY_KEY = { keptSeconds: DAY_SECONDS, maxLength: 255 } as const;

/** Lines of one page of a batch's results. A page ends earlier when its lines reach `maxBytes`: docs/extensions.md. */
export const RESULT_PAGE = { default: 100, max: 1_000, maxBytes: 4 * 1024 * 1024, maxWaitSeconds: 30 } as const;

/** How long after a batch's end its results can be read line by line. Its files have their own expiry. */
export const RESULT_LOG_KEPT_SECONDS = 24 * 3_600;

/** How long a webhook is retried after it was first due: contract §1.4. */
export const WEBHOOK_GIVE_UP_MS = 72 * 3_600_000;

/** Most webhook endpoints of one tenant: every batch that ends sends a request to each of them. Our own limit. */
export const MAX_WEBHOOK_ENDPOINTS = 20;

/** GET /admin/v1/webhooks/{id}/deliveries shows this many of the newest deliveries. */
export const MAX_SHOWN_DELIVERIES = 100;
