/**
 * Makes results durable: gathers finished lines, writes them as one segment object, then records them in the ledger.
 * Several segments are written at the same time. Only one transaction runs at a time, and it records all segments that
 * are ready: transactions of one batch wait for each other, and four at once took 94 ms each. Each step is repeated
 * until it succeeds, so an unavailable store delays results but never loses them.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { recordFlush, type Db, type Flush, type LineResult, type Recorded, type WrittenSegment } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import type { Clock } from "../../deps.ts";
import type { FinishedLine, ReturnedLine, WrittenLine } from "./lines.ts";
import { toReturns } from "./returns.ts";
import { buildSegment, createSegmentBuffers, withoutBytes, type SegmentBuffers } from "./segment.ts";

export interface Recorder {
  /** Resolves when the result is durable and in the ledger. The ledger drops a result whose batch is sealed. */
  finish(line: FinishedLine): Promise<void>;
  /** Resolves when the line is back in the ledger. */
  giveBack(line: ReturnedLine): Promise<void>;
  /** Writes the gathered lines now. */
  flushNow(): void;
  /** Resolves when all lines are recorded. */
  idle(): Promise<void>;
}

export interface RecorderDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Tells whether more lines of a batch will finish here. If so, the recorder waits a little for these lines. */
  readonly inHand: { has(batchNo: number): boolean };
  readonly events: RecordEvents;
}

export interface RecordEvents {
  /** Called after each commit, with the lines that it recorded. */
  recorded(recorded: Recorded, finished: readonly WrittenLine[]): void;
}

/**
 * Under load, lines are gathered until this time or this size is reached, because a PUT of 100 kB takes MinIO 8 ms,
 * with 3 ms of CPU time. The last lines of a batch do not wait: they are written immediately.
 */
const GATHER_MS = 100;
const GATHER_BYTES = 1024 * 1024;
/** The maximum number of segments that are written at the same time. */
const MAX_WRITING = 4;
/** The maximum number of segments per transaction. */
const MAX_RECORDED = 16;
const FIRST_REPEAT_MS = 200;
const MAX_REPEAT_MS = 5_000;

/** Lines that are gathered for one segment. */
interface Load {
  readonly finished: FinishedLine[];
  readonly returned: ReturnedLine[];
  bytes: number;
  /** True if the lines are to be written as soon as fewer than MAX_WRITING segments are being written. */
  isDue: boolean;
  readonly recorded: Promise<void>;
  readonly settle: () => void;
}

/** The same lines after their segment is written. */
interface WrittenLoad extends Pick<Load, "returned" | "settle"> {
  readonly finished: readonly WrittenLine[];
  readonly segment: WrittenSegment | null;
  readonly results: readonly LineResult[];
}

function emptyLoad(): Load {
  let settle: () => void = () => undefined;
  const recorded = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { finished: [], returned: [], bytes: 0, isDue: false, recorded, settle };
}

export function createRecorder(deps: RecorderDeps): Recorder {
  const buffers = createSegmentBuffers(MAX_WRITING);
  let gathering = emptyLoad();
  let writing = 0;
  const written: WrittenLoad[] = [];
  let isRecording = false;
  let timer: NodeJS.Timeout | null = null;
  const waitingForIdle: (() => void)[] = [];

  const isEmpty = (): boolean => gathering.finished.length + gathering.returned.length === 0;
  const isIdle = (): boolean => isEmpty() && writing === 0 && written.length === 0 && !isRecording;

  const record = async (): Promise<void> => {
    if (isRecording) return;
    isRecording = true;
    while (written.length > 0) {
      const loads = written.splice(0, MAX_RECORDED);
      const flush = toFlush(loads);
      const recorded = await untilDone(deps, "record results", () => recordFlush(deps.db, flush, deps.clock()));
      for (const load of loads) load.settle();
      deps.events.recorded(
        recorded,
        loads.flatMap((load) => load.finished),
      );
    }
    isRecording = false;
    if (isIdle()) for (const wake of waitingForIdle.splice(0)) wake();
  };

  const write = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (isEmpty()) gathering.isDue = false;
    if (isEmpty() || writing >= MAX_WRITING) return;
    const load = gathering;
    gathering = emptyLoad();
    writing += 1;
    const segment = await writeSegment(deps, buffers, load);
    writing -= 1;
    written.push(segment);
    if (gathering.isDue) void write();
    await record();
  };

  const schedule = (batchNo: number): Promise<void> => {
    const { recorded } = gathering;
    if (!gathering.isDue && (gathering.bytes >= GATHER_BYTES || !deps.inHand.has(batchNo))) {
      gathering.isDue = true;
      // Wait for the end of this turn of the event loop, so that lines that finish together are recorded together.
      setImmediate(() => void write());
    }
    timer ??= setTimeout(() => {
      gathering.isDue = true;
      void write();
    }, GATHER_MS);
    return recorded;
  };

  return {
    finish(line) {
      gathering.finished.push(line);
      gathering.bytes += line.outcome.line.length;
      return schedule(line.task.slice.batchNo);
    },
    giveBack(line) {
      gathering.returned.push(line);
      return schedule(line.task.slice.batchNo);
    },
    flushNow() {
      gathering.isDue = true;
      void write();
    },
    idle() {
      if (isIdle()) return Promise.resolve();
      return new Promise((resolve) => waitingForIdle.push(resolve));
    },
  };
}

async function writeSegment(deps: RecorderDeps, buffers: SegmentBuffers, load: Load): Promise<WrittenLoad> {
  const { finished, returned, settle } = load;
  if (finished.length === 0) return { finished: [], returned, settle, segment: null, results: [] };
  const key = `segments/${deps.clock().toISOString().slice(0, 10)}/${randomUUID()}`;
  const { body, results, release } = buildSegment(key, finished, buffers);
  await untilDone(deps, "write a segment", () => deps.objects.put(key, body));
  release();
  return { finished: finished.map(withoutBytes), returned, settle, segment: { key, bytes: body.length }, results };
}

function toFlush(loads: readonly WrittenLoad[]): Flush {
  return {
    segments: loads.flatMap(({ segment }) => (segment === null ? [] : [segment])),
    results: loads.flatMap(({ results }) => results),
    returns: toReturns(loads.flatMap(({ returned }) => returned)),
  };
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
