/**
 * Makes results durable: gathers finished lines, writes them as one segment object, then records them in the ledger. Several
 * segments may be on their way at once; they are recorded one transaction at a time, all that have arrived together, because
 * a batch's transactions would only wait for one another (94 ms each, with four of them at once). A store that is away delays
 * results, it never loses them: each step is repeated until it succeeds.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { recordFlush, type Db, type Flush, type LineResult, type Recorded, type WrittenSegment } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import type { Clock } from "../deps.ts";
import { toReturns, type ReturnedLine } from "./returns.ts";
import { createSegmentBuffers, type SegmentBuffers } from "./segment-buffers.ts";
import { buildSegment, withoutBytes, type FinishedLine, type WrittenLine } from "./segment.ts";

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
  readonly expectsMore: (batchNo: number) => boolean;
  /** Told of each commit, with the lines that it was made of. */
  readonly onRecorded: (recorded: Recorded, finished: readonly WrittenLine[]) => void;
}

/**
 * Under load a segment gathers for so long, or until it has so many bytes: one PUT of 100 kB takes MinIO 8 ms and 3 ms of CPU.
 * Nobody waits for it: a batch's last lines are written at once.
 */
const GATHER_MS = 100;
const GATHER_BYTES = 1024 * 1024;
/** Segments that are being written at once. */
const MAX_WRITING = 4;
/** Segments of one transaction. */
const MAX_RECORDED = 16;
const FIRST_REPEAT_MS = 200;
const MAX_REPEAT_MS = 5_000;

/** Lines that travel together while they are gathered. */
interface Load {
  readonly finished: FinishedLine[];
  readonly returned: ReturnedLine[];
  bytes: number;
  readonly recorded: Promise<void>;
  readonly settle: () => void;
}

/** The same lines once their segment is written. */
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
  return { finished: [], returned: [], bytes: 0, recorded, settle };
}

export function createRecorder(deps: RecorderDeps): Recorder {
  const buffers = createSegmentBuffers(MAX_WRITING);
  let gathering = emptyLoad();
  let writing = 0;
  const written: WrittenLoad[] = [];
  let isRecording = false;
  let timer: NodeJS.Timeout | null = null;
  let isDue = false;
  const waitingForIdle: (() => void)[] = [];

  const isEmpty = (): boolean => gathering.finished.length + gathering.returned.length === 0;
  const isIdle = (): boolean => isEmpty() && writing === 0 && written.length === 0 && !isRecording;

  const write = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (isEmpty()) isDue = false;
    if (isEmpty() || writing >= MAX_WRITING) return;
    isDue = false;
    const load = gathering;
    gathering = emptyLoad();
    writing += 1;
    const segment = await writeSegment(deps, buffers, load);
    writing -= 1;
    written.push(segment);
    writeIfDue();
    await record();
  };

  const writeIfDue = (): void => {
    if (isDue) void write();
  };

  const record = async (): Promise<void> => {
    if (isRecording) return;
    isRecording = true;
    while (written.length > 0) {
      const loads = written.splice(0, MAX_RECORDED);
      const flush = toFlush(loads);
      const recorded = await untilDone(deps, "record results", () => recordFlush(deps.db, flush, deps.clock()));
      for (const load of loads) load.settle();
      deps.onRecorded(
        recorded,
        loads.flatMap((load) => load.finished),
      );
    }
    isRecording = false;
    if (isIdle()) for (const wake of waitingForIdle.splice(0)) wake();
  };

  const schedule = (batchNo: number): Promise<void> => {
    const { recorded } = gathering;
    if (!isDue && (gathering.bytes >= GATHER_BYTES || !deps.expectsMore(batchNo))) {
      isDue = true;
      // After this turn of the loop: lines that finish together are recorded together.
      setImmediate(() => void write());
    }
    timer ??= setTimeout(() => {
      isDue = true;
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
      isDue = true;
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
