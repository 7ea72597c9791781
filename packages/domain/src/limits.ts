/** Every limit that the product promises, with its source. Names say the unit; sizes are in bytes. */

export const DAY_SECONDS = 86_400;
export const DAY_MS = DAY_SECONDS * 1_000;

/**
 * The maximum size of a batch's input file: the 200 MB of contract §4.2, read as MiB so that no file that OpenAI
 * accepts is rejected.
 */
export const MAX_BATCH_FILE_BYTES = 200 * 1024 * 1024;

/** The maximum size of a file with any other purpose: contract §1.1. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

/**
 * The maximum length of a filename, in UTF-16 code units. In the `filename*` of a download, such a name still fits in
 * the 16 KiB of headers that Node's clients accept.
 */
export const MAX_FILENAME_LENGTH = 1_024;

/**
 * The maximum size of a file uploaded in parts: 8 GB, read as GiB. Input files of batches keep their own limit:
 * contract §1.2.
 */
export const MAX_UPLOAD_BYTES = 8 * 1024 * 1024 * 1024;

/** The maximum size of one part of an upload: the 64 MiB that Python's SDK sends, contract §1.2. */
export const MAX_UPLOAD_PART_BYTES = 64 * 1024 * 1024;

/** The maximum number of parts of one upload. The contract has no limit; this is the limit of S3. */
export const MAX_UPLOAD_PARTS = 10_000;

/**
 * All parts of an upload together may be at most this many times its declared size. This leaves room for parts that a
 * client sends again after a lost reply.
 */
export const MAX_UPLOAD_COPIES = 4;

/** Seconds from the creation of an upload to its expiry: contract §1.2. */
export const UPLOAD_LIFE_SECONDS = 3_600;

/** The maximum number of requests in one batch: contract §4.2. */
export const MAX_BATCH_LINES = 50_000;

/** The maximum number of embedding inputs in all requests of one batch together: contract §4.2. */
export const MAX_EMBEDDING_INPUTS = 50_000;

/**
 * The maximum length of a custom_id, in UTF-16 code units. OpenAI documents no limit. Nightshift sets one, because each
 * result line repeats the id.
 */
export const MAX_CUSTOM_ID_LENGTH = 512;

/**
 * The maximum length of a line. OpenAI documents no limit. A base64 image of 20 MB must fit, and an endless line must
 * not fill memory.
 */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** The maximum number of entries in `errors.data` of a failed batch. One more entry says how many were left out. */
export const MAX_REPORTED_ERRORS = 100;

/** The default and maximum page size of GET /v1/batches: contract §1.3. */
export const BATCH_PAGE = { default: 20, max: 100 } as const;

/** The default and maximum page size of a batch's history: docs/extensions.md. */
export const HISTORY_PAGE = { default: 20, max: 100 } as const;

/** The default and maximum page size of GET /v1/files: contract §1.1. */
export const FILE_PAGE = { default: 10_000, max: 10_000 } as const;

/** The maximum number of pairs, length of a key and length of a value in `metadata`: contract §1.3. */
export const METADATA = { maxPairs: 16, maxKeyLength: 64, maxValueLength: 512 } as const;

/** The range of `expires_after`, and the default for files with purpose `batch`: contract §1.1. */
export const EXPIRES_AFTER = { minSeconds: 3_600, maxSeconds: 2_592_000, batchDefaultSeconds: 2_592_000 } as const;

/** Hours until a retried line of a finished batch is given up. This is as long as the usual completion window. */
export const RETRY_HOURS = 24;

/**
 * Seconds that the first results of a batch's retries wait for further results, so that the batch's files are rebuilt
 * only once.
 */
export const RETRY_GATHER_SECONDS = 60;

/** The maximum number of lines in one slice: each line has one bit in a Postgres bigint (64 bits). */
export const MAX_SLICE_LINES = 64;

/** How long an Idempotency-Key is remembered, and its maximum length in characters: docs/extensions.md. */
export const IDEMPOTENCY_KEY = { keptSeconds: DAY_SECONDS, maxLength: 255 } as const;

/**
 * The lines of one page of a batch's results. A page ends earlier if its lines reach `maxBytes`: docs/extensions.md.
 */
export const RESULT_PAGE = { default: 100, max: 1_000, maxBytes: 4 * 1024 * 1024, maxWaitSeconds: 30 } as const;

/** How long after a batch's end its results can be read line by line. Its files have their own expiry. */
export const RESULT_LOG_KEPT_SECONDS = 24 * 3_600;

/** How long a webhook is retried after it was first due: contract §1.4. */
export const WEBHOOK_GIVE_UP_MS = 72 * 3_600_000;

/**
 * The maximum number of webhook endpoints per tenant. Each batch that ends causes a request to every one of them. The
 * contract has no limit; this one is Nightshift's.
 */
export const MAX_WEBHOOK_ENDPOINTS = 20;

/** The maximum number of deliveries, newest first, that GET /admin/v1/webhooks/{id}/deliveries shows. */
export const MAX_SHOWN_DELIVERIES = 100;
