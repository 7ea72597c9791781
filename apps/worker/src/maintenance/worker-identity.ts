/**
 * This worker's id, and its heartbeat in Postgres. Other workers declare a worker dead when its heartbeat stops. So a
 * worker that cannot send its heartbeat gives up its id before that happens, and continues under a new id.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { recordHeartbeat, registerWorker, removeWorkers, type Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";

export interface WorkerIdentity {
  id(): string;
  /**
   * Registers the worker and starts its heartbeat. `onLost` is called after each change of the id, because other
   * workers then have the slices and permits of the old id, or will have them soon.
   */
  start(onLost: () => void): Promise<void>;
  /** Stops the heartbeat and removes the worker, so that other workers do not wait until it counts as dead. */
  stop(): Promise<void>;
}

const HEARTBEAT_MS = 2_000;
/** Two seconds less than the time after which other workers declare this worker dead (reaper.ts). */
const SELF_DEAD_MS = 8_000;

export function createWorkerIdentity(db: Db, logger: Logger): WorkerIdentity {
  let id = newId();
  let lastHeartbeat = performance.now();
  let timer: NodeJS.Timeout | null = null;
  let isSendingHeartbeat = false;

  const takeNewId = async (onLost: () => void): Promise<void> => {
    const old = id;
    id = newId();
    onLost();
    logger.warn(
      { old, id },
      "this worker was declared dead, or could not send its heartbeat; it continues under a new id",
    );
    await registerWorker(db, { id, host: processHost(), pid: process.pid });
    lastHeartbeat = performance.now();
  };

  const tick = async (onLost: () => void): Promise<void> => {
    if (isSendingHeartbeat) return;
    isSendingHeartbeat = true;
    try {
      if (performance.now() - lastHeartbeat > SELF_DEAD_MS || !(await recordHeartbeat(db, id))) await takeNewId(onLost);
      else lastHeartbeat = performance.now();
    } catch (error) {
      logger.warn({ err: error }, "could not record the heartbeat");
    } finally {
      isSendingHeartbeat = false;
    }
  };

  return {
    id: () => id,
    async start(onLost) {
      await registerWorker(db, { id, host: processHost(), pid: process.pid });
      lastHeartbeat = performance.now();
      timer = setInterval(() => void tick(onLost), HEARTBEAT_MS);
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
 * Returns the scope of process ids: the boot of this kernel, and the PID namespace within it. If two workers have the
 * same scope, each can tell by the process id whether the other is alive.
 */
export function processHost(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // Not Linux: the random part makes workers trust only heartbeats, and not process ids.
    return `${hostname()} ${randomUUID()}`;
  }
}

/** True if a process with that id runs on this host. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
