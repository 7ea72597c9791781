/**
 * Every environment variable of Nightshift, so that a process can tell a misspelled one from another process' variable.
 */

/** The name of each variable, with one sentence about it. */
export const KNOWN_VARIABLES: Readonly<Record<string, string>> = Object.freeze({
  PORT: "Port to listen on; 0 selects any free port (API 8080, worker 8081, simulator 8090).",
  HOST: "Address to listen on (127.0.0.1, so that nothing is open to the network by accident).",
  DATABASE_URL: "Postgres database with all state: postgres://user:password@host:port/database.",
  REDIS_URL: "Redis server for the queue: redis:// or rediss://; without it the queue runs on Postgres.",
  S3_ENDPOINT: "Address of an S3 server other than AWS, such as http://minio:9000.",
  S3_BUCKET: "Bucket for files and results, created if missing; without it they are in the data folder.",
  S3_REGION: "Region of the bucket (us-east-1).",
  S3_SERVER_COPY: "Whether the server can copy parts of objects (true); false for Cloudflare R2 and similar.",
  AWS_ACCESS_KEY_ID: "Access key of the bucket; without it the AWS SDK uses its default credentials.",
  AWS_SECRET_ACCESS_KEY: "Secret that belongs to AWS_ACCESS_KEY_ID.",
  UPSTREAM_BASE_URL: "Base URL of an OpenAI-compatible server for every model, ending in /v1 or similar.",
  UPSTREAM_API_KEY: "Key sent to that server as a bearer token.",
  UPSTREAM_CONCURRENCY: "Lines in flight at that server, across all workers (256).",
  UPSTREAM_REQUESTS_PER_MINUTE: "Requests per minute to that server, across all workers; no limit unless set.",
  UPSTREAM_TIMEOUT_SECONDS: "Seconds that one request to that server may take (600).",
  UPSTREAM_MAX_ATTEMPTS: "Attempts that a line has before it becomes an error line (5).",
  UPSTREAM_SLICE_LINES: "Lines of one job, 1 to 64; chosen from the measured time of a line unless set.",
  NIGHTSHIFT_CONFIG: "Path of a YAML file with named upstreams, the models routed to them, and tiers of tenants.",
  NIGHTSHIFT_DATA_DIR: "Folder for the data of a single machine: objects, database, keys (./data).",
  NIGHTSHIFT_BOOTSTRAP_KEY: "First API key of the tenant `default`; one is created if no key exists at all.",
  NIGHTSHIFT_ADMIN_KEY:
    "Password of the user `admin` at /admin/queues and bearer token of /admin/v1; `npm start` creates one, start:api has no /admin without it.",
  NIGHTSHIFT_COMPLETION_WINDOWS: "Completion windows that a batch may ask for, such as 1h,24h,7d (24h).",
  NIGHTSHIFT_FILE_EXPIRY_DAYS:
    "Days after which the files of batches expire, unless a request says otherwise; 0 keeps them (30).",
  NIGHTSHIFT_LOG_LEVEL: "Minimum level to log: trace, debug, info, warn, error, fatal or silent (info).",
  NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: "Seconds for requests and lines in flight to finish on SIGTERM (30).",
  NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE:
    "Whether webhooks may go to this machine and to private networks (false); set it for APIs and workers alike.",
  WORKER_PROCESSES: "Number of processes of one worker (1); if it is more than 1, an extra process supervises them.",
  SIMULATOR_LATENCY_MS: "Median time in milliseconds that the simulator takes to answer.",
  SIMULATOR_LATENCY_SIGMA: "Spread of that time: sigma of a log-normal distribution; 0 makes it constant.",
  SIMULATOR_ERROR_RATE: "Share of requests that the simulator answers with status 500, from 0 to 1.",
  SIMULATOR_REQUESTS_PER_MINUTE: "Requests per minute above which the simulator answers 429; no limit unless set.",
  SIMULATOR_CONCURRENCY: "Concurrent requests above which the simulator answers 429; no limit unless set.",
  SIMULATOR_REPLY_BYTES: "Length in bytes to which the simulator pads its texts.",
  SIMULATOR_SEED: "Seed of the simulator's random numbers.",
});
