/**
 * This worker's id, and its heartbeat in Postgres. Others take a worker for dead whose heartbeat stands still; so a worker that
 * could not heartbeat for long enough must take itself for dead first, and goes on under a new id.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { recordHeartbeat, registerWorker, removeWorkers, type Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";

export interface WorkerIdentity {
  id(): string;
  /** Registers the worker and begins to heartbeat. */
  start(): Promise<void>;
  /** Stops its heartbeat and signs off, so that nobody has to wait for the heartbeat to fail. */
  stop(): Promise<void>;
}

const BEAT_MS = 2_000;
/** Two seconds before others give up on us (reaper.ts). */
const SELF_DEAD_MS = 8_000;

/** `onLost` is called when the id has changed: slices and permits under the old one are others' by now, or soon. */
export function createWorkerIdentity(db: Db, logger: Logger, onLost: () => void): WorkerIdentity {
  let id = newId();
  let lastHeartbeat = performance.now();
  let timer: NodeJS.Timeout | null = null;
  let isSendingHeartbeat = false;

  const takeNewId = async (): Promise<void> => {
    const old = id;
    id = newId();
    onLost();
    logger.warn({ old, id }, "this worker was taken for dead, or must take itself for dead; it goes on under a new id");
    await registerWorker(db, { id, host: processHost(), pid: process.pid });
    lastHeartbeat = performance.now();
  };

  const tick = async (): Promise<void> => {
    if (isSendingHeartbeat) return;
    isSendingHeartbeat = true;
    try {
      if (performance.now() - lastHeartbeat > SELF_DEAD_MS || !(await recordHeartbeat(db, id))) await takeNewId();
      else lastHeartbeat = performance.now();
    } catch (error) {
      logger.warn({ err: error }, "could not record the heartbeat");
    } finally {
      isSendingHeartbeat = false;
    }
  };

  return {
    id: () => id,
    async start() {
      await registerWorker(db, { id, host: processHost(), pid: process.pid });
      lastHeartbeat = performance.now();
      timer = setInterval(() => void tick(), BEAT_MS);
    },
    async stop() {
      if (timer !== null) clearInterval(timer);
      await removeWorkers(db, [id]);
    },
  };
}

function newId(): string {
  return `w-${randomUUID()}`;
}

/**
 * Names the place where process numbers mean something: the boot of this kernel and the PID namespace within it. Two
 * workers with the same host can tell by a process number whether the other one is alive.
 */
export function processHost(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // Not Linux: no process number of another worker is trusted, only its heartbeat.
    return `${hostname()} ${randomUUID()}`;
  }
}

/** True where a process with that number runs on this host. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
