/** Opens Postgres, the queue and the object store as the configuration names them; nothing else knows which they are. */
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

/** Workers are closed before the stores, in a phase of their own; this is for what they left. */
const QUEUES_CLOSE_MS = 2_000;

/** The three stores of a process, ready to use. */
export interface Backends {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly queues: JobQueues;
  /** For /readyz. */
  readonly checks: Readonly<Record<"postgres" | "queue" | "objects", Check>>;
  /** Closes all three, the last opened first. */
  close(): Promise<void>;
}

export interface OpenBackendsOptions {
  /** Names of all upstreams: each has a queue. */
  readonly upstreams: readonly string[];
  readonly logger: Logger;
  /** Ends the waiting for a store that is away. */
  readonly signal?: AbortSignal;
  /** How long to wait for each store that is away: 30 s unless told. */
  readonly patienceMs?: number;
}

/**
 * Brings the schemas up to date and opens the stores, waiting for each that is away. Rejects with
 * StartupError where the operator has to do something; nothing is then left open.
 */
export async function openBackends(config: BackendsConfig, options: OpenBackendsOptions): Promise<Backends> {
  refuseHalfSet(config);
  const { logger, signal, patienceMs = PATIENCE_MS } = options;
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let last = opened.pop(); last !== undefined; last = opened.pop()) await last();
  };
  const wait = <T>(name: string, attempt: () => Promise<T>, isAway: (error: unknown) => boolean): Promise<T> =>
    untilReachable(attempt, { name, isAway, logger, signal, patienceMs });

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
    const isQueueAway = (error: unknown): boolean => error instanceof QueueUnavailableError || isDbUnavailable(error);
    const queues = await wait("The queue", () => openQueuesOn(backend, options), isQueueAway);
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
  await db.query("/* stores.ping */ select 1");
}
