/**
 * Makes results durable: gathers finished lines, writes them as one segment object, then records them in the ledger. A
 * store that is away delays results, it never loses them: each step is repeated until it succeeds.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { recordFlush, type Db, type Flush, type Recorded } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import type { Clock } from "../deps.ts";
import { toReturns, type ReturnedLine } from "./returns.ts";
import { buildSegment, type FinishedLine } from "./segment.ts";

export interface Recorder {
  /** Resolves once the result is durable and in the ledger (or was dropped there because the batch is sealed). */
  finish(line: FinishedLine): Promise<void>;
  /** Resolves once the ledger has the line for a later attempt. */
  giveBack(line: ReturnedLine): Promise<void>;
  /** Nothing more is gathered: what is pending goes out now. */
  flushNow(): void;
  /** Resolves when nothing is pending or under way. */
  idle(): Promise<void>;
}

export interface RecorderDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly logger: Logger;
  readonly clock: Clock;
  /** True while lines of that batch are in this worker's hands and unfinished: then it pays to wait for them a little. */
  readonly expectsMore: (batch: number) => boolean;
  /** Told of each flush after its commit, with the lines it was made of. */
  readonly onRecorded: (recorded: Recorded, finished: readonly FinishedLine[]) => void;
}

/** Under load a flush gathers for so long, or until it has so many bytes: one PUT of 100 kB takes MinIO 8 ms. */
const GATHER_MS = 50;
const GATHER_BYTES = 1024 * 1024;
/** Flushes under way at once: one can be written while another is recorded. */
const MAX_UNDER_WAY = 4;
const FIRST_REPEAT_MS = 200;
const MAX_REPEAT_MS = 5_000;

interface Pending {
  finished: FinishedLine[];
  returned: ReturnedLine[];
  bytes: number;
  recorded: Promise<void>;
  settle: () => void;
}

function nothingPending(): Pending {
  const pending: Pending = {
    finished: [],
    returned: [],
    bytes: 0,
    recorded: Promise.resolve(),
    settle: () => undefined,
  };
  pending.recorded = new Promise((resolve) => {
    pending.settle = resolve;
  });
  return pending;
}

export function createRecorder(deps: RecorderDeps): Recorder {
  let pending = nothingPending();
  let underWay = 0;
  let timer: NodeJS.Timeout | null = null;
  let isDue = false;
  const waitingForIdle: (() => void)[] = [];

  const count = (): number => pending.finished.length + pending.returned.length;

  const start = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (count() === 0 || underWay >= MAX_UNDER_WAY) return;
    isDue = false;
    const taken = pending;
    pending = nothingPending();
    underWay += 1;
    void writeFlush(deps, taken).then((recorded) => {
      underWay -= 1;
      taken.settle();
      deps.onRecorded(recorded, taken.finished);
      if (isDue) start();
      if (underWay === 0 && count() === 0) for (const wake of waitingForIdle.splice(0)) wake();
    });
  };

  const schedule = (batch: number): Promise<void> => {
    const { recorded } = pending;
    if (!isDue && (pending.bytes >= GATHER_BYTES || !deps.expectsMore(batch))) {
      isDue = true;
      // After this turn of the loop: lines that finish together are recorded together.
      setImmediate(start);
    }
    timer ??= setTimeout(() => {
      isDue = true;
      start();
    }, GATHER_MS);
    return recorded;
  };

  return {
    finish(line) {
      pending.finished.push(line);
      pending.bytes += line.outcome.bytes.length;
      return schedule(line.task.slice.batch);
    },
    giveBack(line) {
      pending.returned.push(line);
      return schedule(line.task.slice.batch);
    },
    flushNow() {
      isDue = true;
      start();
    },
    idle() {
      if (underWay === 0 && count() === 0) return Promise.resolve();
      return new Promise((resolve) => waitingForIdle.push(resolve));
    },
  };
}

async function writeFlush(deps: RecorderDeps, pending: Pending): Promise<Recorded> {
  const segment = buildSegment(pending.finished);
  const key = `segments/${deps.clock().toISOString().slice(0, 10)}/${randomUUID()}`;
  if (segment.body.length > 0) {
    await untilDone(deps, "write a segment", () => deps.objects.put(key, segment.body));
  }
  const flush: Flush = {
    segment: segment.body.length > 0 ? { key, bytes: segment.body.length } : null,
    results: segment.results,
    returns: toReturns(pending.returned),
  };
  return untilDone(deps, "record results", () => recordFlush(deps.db, flush, deps.clock()));
}

async function untilDone<T>(deps: RecorderDeps, what: string, step: () => Promise<T>): Promise<T> {
  for (let delayMs = FIRST_REPEAT_MS; ; delayMs = Math.min(delayMs * 2, MAX_REPEAT_MS)) {
    try {
      return await step();
    } catch (error) {
      deps.logger.warn({ err: error }, `could not ${what}; trying again`);
      await sleep(delayMs);
    }
  }
}
