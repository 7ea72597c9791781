/**
 * Opens the Postgres, queue and object store that the configuration selects. No other code depends on which
 * implementations are selected.
 */
import path from "node:path";
import { isDbUnavailable, migrate, openDb, SchemaTooNewError, type Db } from "@nightshift/db";
import {
  openQueues,
  prepareQueueBackend,
  QueueUnavailableError,
  type JobQueues,
  type QueueBackend,
} from "@nightshift/queue";
import { startupErrorOf, type Check, type Logger } from "@nightshift/service";
import { isObjectStoreUnavailable, openFolderStore, type ObjectStore } from "@nightshift/storage";
import { untilReachable } from "./until-reachable.ts";
import { refuseHalfSet, type BackendsConfig } from "./variables.ts";

const PATIENCE_MS = 30_000;

/**
 * How long closing the queues waits for job workers that are still running. Normally there are none, because the worker
 * process stops them in an earlier shutdown phase.
 */
const QUEUES_CLOSE_MS = 2_000;

/** The backends of a process, ready to use. */
export interface Backends {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly queues: JobQueues;
  /** The checks of /readyz. */
  readonly checks: Readonly<Record<"postgres" | "queue" | "objects", Check>>;
  /** Closes all three backends, in the reverse order of their opening. */
  close(): Promise<void>;
}

export interface OpenBackendsOptions {
  /** The names of all upstreams. Each has a queue. */
  readonly upstreams: readonly string[];
  readonly logger: Logger;
  /** Aborts the wait for an unavailable backend. */
  readonly signal?: AbortSignal;
  /** How long to wait for each unavailable backend, 30 s by default. */
  readonly patienceMs?: number;
}

/**
 * Migrates the schemas and opens the backends. Waits for each backend that is unavailable. If the operator has to act,
 * closes all backends and rejects with StartupError.
 */
export async function openBackends(config: BackendsConfig, options: OpenBackendsOptions): Promise<Backends> {
  refuseHalfSet(config);
  const { logger, signal, patienceMs = PATIENCE_MS } = options;
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let last = opened.pop(); last !== undefined; last = opened.pop()) await last();
  };
  const wait = <T>(name: string, attempt: () => Promise<T>, isUnavailable: (error: unknown) => boolean): Promise<T> =>
    untilReachable(attempt, { name, isUnavailable, logger, signal, patienceMs });

  try {
    const db = openDb({
      url: config.DATABASE_URL,
      onIdleError: (error) => {
        logger.warn({ err: error }, "an idle connection to Postgres broke");
      },
    });
    opened.push(() => db.end());
    await wait("Postgres", () => startupErrorOf(SchemaTooNewError, () => migrate(db)), isDbUnavailable);

    const backend = chooseQueueBackend(config);
    const isQueueUnavailable = (error: unknown): boolean =>
      error instanceof QueueUnavailableError || isDbUnavailable(error);
    const queues = await wait("The queue", () => openQueuesOn(backend, options), isQueueUnavailable);
    opened.push(() => queues.close(QUEUES_CLOSE_MS));

    const objects = await openObjects(config);
    opened.push(() => objects.close());
    await wait("The object store", () => objects.ready(), isObjectStoreUnavailable);

    const checks = { postgres: () => ping(db), queue: () => queues.isReady(), objects: () => objects.ready() };
    return { db, objects, queues, checks, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function chooseQueueBackend(config: BackendsConfig): QueueBackend {
  if (config.REDIS_URL !== undefined) return { kind: "redis", url: config.REDIS_URL };
  return { kind: "postgres", url: config.DATABASE_URL };
}

async function openQueuesOn(backend: QueueBackend, { upstreams, logger }: OpenBackendsOptions): Promise<JobQueues> {
  await prepareQueueBackend(backend);
  return openQueues({ backend, upstreams, logger });
}

async function openObjects(config: BackendsConfig): Promise<ObjectStore> {
  const { S3_BUCKET, S3_ENDPOINT, S3_REGION, S3_SERVER_COPY, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = config;
  if (S3_BUCKET === undefined) return openFolderStore({ root: path.join(config.NIGHTSHIFT_DATA_DIR, "objects") });
  const { openS3Store } = await import("@nightshift/storage/s3");
  return openS3Store({
    bucket: S3_BUCKET,
    region: S3_REGION,
    serverCopies: S3_SERVER_COPY,
    ...(S3_ENDPOINT === undefined ? {} : { endpoint: S3_ENDPOINT }),
    ...(AWS_ACCESS_KEY_ID === undefined ? {} : { accessKeyId: AWS_ACCESS_KEY_ID }),
    ...(AWS_SECRET_ACCESS_KEY === undefined ? {} : { secretAccessKey: AWS_SECRET_ACCESS_KEY }),
  });
}

async function ping(db: Db): Promise<void> {
  await db.query("/* backends.ping */ select 1");
}
