/** Every environment variable that any process of Nightshift reads, so that a misspelt one can be told from another's. */

/** Name of each variable, and one sentence on what it sets. */
export const KNOWN_VARIABLES: Readonly<Record<string, string>> = Object.freeze({
  PORT: "Port to listen on; 0 takes any free one (API 8080, worker 8081, simulator 8090).",
  HOST: "Address to listen on; 127.0.0.1 unless set, so that nothing is open to the network by accident.",
  DATABASE_URL: "Postgres that holds the truth: postgres://user:password@host:port/database.",
  REDIS_URL: "Redis that carries the queue: redis:// or rediss://; without it the queue runs on Postgres.",
  S3_ENDPOINT: "Address of an S3 server other than AWS, such as http://minio:9000.",
  S3_BUCKET: "Bucket for files and results, created when missing; without it they lie in the data folder.",
  S3_REGION: "Region of the bucket (us-east-1).",
  S3_SERVER_COPY: "Whether that server copies parts of objects by itself (true); false for Cloudflare R2 and the like.",
  AWS_ACCESS_KEY_ID: "Access key of the bucket; without it the AWS SDK looks where it always looks.",
  AWS_SECRET_ACCESS_KEY: "Secret that belongs to AWS_ACCESS_KEY_ID.",
  UPSTREAM_BASE_URL: "OpenAI-compatible server that answers every model, ending in /v1 or the like.",
  UPSTREAM_API_KEY: "Key sent to that server as a bearer token.",
  UPSTREAM_CONCURRENCY: "Lines in flight at that server, over all workers together (256).",
  UPSTREAM_REQUESTS_PER_MINUTE: "Requests a minute to that server, over all workers together; no limit unless set.",
  UPSTREAM_TIMEOUT_SECONDS: "Seconds that one request to that server may take (600).",
  UPSTREAM_MAX_ATTEMPTS: "Attempts that a line has before it becomes an error line (5).",
  UPSTREAM_SLICE_LINES: "Lines of one job, 1 to 64; as many as suit the time that a line takes there unless set.",
  NIGHTSHIFT_CONFIG: "Path of a YAML file with named upstreams, the models routed to them, and tiers of tenants.",
  NIGHTSHIFT_DATA_DIR: "Folder for all that one machine keeps: objects, database, keys (./data).",
  NIGHTSHIFT_BOOTSTRAP_KEY: "First API key of the tenant `default`; one is made when no key exists at all.",
  NIGHTSHIFT_ADMIN_KEY:
    "Password of the user `admin` at /admin/queues, bearer of /admin/v1; `npm start` makes one, start:api has no /admin without it.",
  NIGHTSHIFT_COMPLETION_WINDOWS: "Completion windows that a batch may ask for, such as 1h,24h,7d (24h).",
  NIGHTSHIFT_FILE_EXPIRY_DAYS:
    "Days that files of batches live, inputs and results, where nobody says otherwise; 0 for ever (30).",
  NIGHTSHIFT_LOG_LEVEL: "Least severe level that is logged: trace, debug, info, warn, error, fatal or silent (info).",
  NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: "Seconds that requests and lines in flight have to finish on SIGTERM (30).",
  NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE:
    "Whether webhooks may go to this machine and to private networks (false); the same for APIs and workers.",
  WORKER_PROCESSES: "Processes that a worker runs as, beneath one that keeps them running (1).",
  SIMULATOR_LATENCY_MS: "Median time in milliseconds that the simulator takes to answer.",
  SIMULATOR_LATENCY_SIGMA: "Spread of that time: sigma of a log-normal distribution; 0 makes it constant.",
  SIMULATOR_ERROR_RATE: "Share of requests that the simulator answers with status 500, from 0 to 1.",
  SIMULATOR_REQUESTS_PER_MINUTE: "Requests a minute beyond which the simulator answers 429; no limit unless set.",
  SIMULATOR_CONCURRENCY: "Requests at a time beyond which the simulator answers 429; no limit unless set.",
  SIMULATOR_REPLY_BYTES: "Length in bytes to which the simulator pads its texts.",
  SIMULATOR_SEED: "Number that all of the simulator's chance is derived from.",
});
