/**
 * Simulates three workers, without processes: they feed, claim, record, retry, return lines, die and come back late. A
 * seed decides what they do. The simulated queue loses jobs and delivers them twice.
 */
import { randomUUID } from "node:crypto";
import { expect } from "@jest/globals";
import {
  type BatchView,
  type ClaimedSlice,
  type Db,
  feedUpstream,
  type Flush,
  freeOrphans,
  type LineResult,
  openRetries,
  recordFlush,
  removeWorkers,
  type SliceRef,
  type SliceReturn,
  waitingSlices,
} from "../src/index.ts";
import {
  bytesOf,
  type ResultFields,
  cutSlices,
  flushOf,
  linesIn,
  newWorker,
  now,
  retried,
  unsent,
  claimSlice,
} from "@nightshift/testing/batches";

/** Returns a number from 0 up to, but not including, 1. */
export type Random = () => number;

/** Returns a generator that yields the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A claimed slice, and the lines that its worker has neither recorded nor returned. */
interface Hand {
  readonly slice: ClaimedSlice;
  readonly lines: Set<number>;
}

interface SimulatedWorker {
  id: string;
  hands: Hand[];
}

export interface Fleet {
  /** Takes one step, chosen by the seed. */
  step(random: Random): Promise<void>;
  /** Finishes all lines, as workers do when nothing fails. */
  workOff(random: Random): Promise<void>;
  /** Records all results again, as redeliveries would. The repeated results must not count. */
  repeatAll(): Promise<void>;
  /** The tokens of each result, by segment key and offset. */
  readonly tokens: ReadonlyMap<string, number>;
  /** The batches that flushes reported as sealed, one number for each report. */
  readonly sealed: readonly number[];
}

export async function createFleet(db: Db, upstream: string, batches: readonly BatchView[]): Promise<Fleet> {
  const workers: SimulatedWorker[] = [];
  for (let i = 0; i < 3; i += 1) workers.push({ id: await newWorker(db), hands: [] });
  /** The slices of workers that were declared dead and have not noticed it yet. */
  const ghosts: Hand[] = [];
  const jobs: SliceRef[] = [];
  const flushes: Flush[] = [];
  const recorded = new Set<string>();
  const tokens = new Map<string, number>();
  const sealed: number[] = [];

  const enqueue = (random: Random, slices: readonly SliceRef[]): void => {
    if (random() < 0.8) jobs.push(...slices);
  };

  const waiting = async (): Promise<SliceRef[]> =>
    (await waitingSlices(db, 1_000)).filter((slice) => slice.upstream === upstream);

  const feed = async (random: Random, lossless = false): Promise<void> => {
    const fed = await feedUpstream(db, upstream, now, (state) =>
      Promise.resolve(
        state.candidates.flatMap(({ batchNo, fedLines, total }) => {
          const sizes: number[] = [];
          let left = total - fedLines;
          for (let runs = Math.floor(random() * 2.5); runs > 0 && left > 0; runs -= 1) {
            const size = Math.min(left, pick(random, [1, 1, 3, 17, 63, 64]));
            sizes.push(size);
            left -= size;
          }
          return cutSlices(batchNo, fedLines, sizes);
        }),
      ),
    );
    if (lossless) jobs.push(...fed);
    else enqueue(random, fed);
  };

  const claim = async (random: Random, worker: SimulatedWorker): Promise<void> => {
    const at = Math.floor(random() * jobs.length);
    const job = jobs[at];
    if (job === undefined) return;
    if (random() < 0.7) jobs.splice(at, 1);
    const { id } = worker;
    const slice = await claimSlice(db, id, job, now);
    if (slice === null) return;
    const hand = { slice, lines: new Set(linesIn(slice.todo, slice.firstLine)) };
    (worker.id === id ? worker.hands : ghosts).push(hand);
  };

  const flush = async (random: Random, hands: readonly Hand[], hurry: boolean): Promise<void> => {
    const { results, returns } = drawFates(random, hands, hurry);
    if (results.length + returns.length === 0) return;
    const made = inTwoSegments(results, returns, Math.floor(random() * results.length));
    flushes.push(made);
    for (const result of made.results) tokens.set(placeOf(result), result.usage?.totalTokens ?? 0);
    enqueue(random, await record(made));
    if (random() < 0.2) expect((await recordFlush(db, made, now)).results).toEqual([]);
  };

  const record = async (made: Flush): Promise<readonly SliceRef[]> => {
    const outcome = await recordFlush(db, made, now);
    for (const { batchNo, line, requestGen } of outcome.results) {
      const key = [batchNo, line, requestGen].join(" ");
      expect({ key, again: recorded.has(key) }).toEqual({ key, again: false });
      recorded.add(key);
    }
    sealed.push(...outcome.sealed);
    return outcome.slices;
  };

  const repeat = async (old: Flush): Promise<void> => {
    if (old.segments.length === 0) return;
    const suffix = randomUUID();
    const renamed = (key: string): string => `${key}-${suffix}`;
    const again = {
      ...old,
      segments: old.segments.map(({ key, bytes }) => ({ key: renamed(key), bytes })),
      results: old.results.map((result) => ({ ...result, segment: renamed(result.segment) })),
    };
    expect((await recordFlush(db, again, now)).results).toEqual([]);
  };

  const die = async (worker: SimulatedWorker): Promise<void> => {
    const dead = worker.id;
    ghosts.push(...worker.hands.splice(0));
    worker.id = await newWorker(db);
    await removeWorkers(db, [dead]);
  };

  const retry = async (random: Random, batch: BatchView): Promise<void> => {
    const { rows } = await db.query<{ line: number }>(
      "select line from lines where day = $1 and batch_no = $2 and failed order by line",
      [batch.day, batch.batchNo],
    );
    if (rows.length === 0) return;
    const { line } = pick(random, rows);
    const lines = [{ line, ...bytesOf(line, 1) }];
    const outcome = await openRetries(db, { batchNo: batch.batchNo, lines, askedBy: "test" }, now);
    if (outcome.outcome === "opened") enqueue(random, outcome.slices);
  };

  const step = async (random: Random): Promise<void> => {
    const worker = pick(random, workers);
    const what = random();
    if (what < 0.12) await feed(random);
    else if (what < 0.4) await claim(random, worker);
    else if (what < 0.68) await flush(random, worker.hands, false);
    else if (what < 0.74) await flush(random, ghosts, false);
    else if (what < 0.79) await die(worker);
    else if (what < 0.83) await freeOrphans(db);
    else if (what < 0.91) await retry(random, pick(random, batches));
    else if (what < 0.96) jobs.push(...(await waiting()));
    else if (flushes.length > 0) await repeat(pick(random, flushes));
  };

  return {
    step,
    tokens,
    sealed,
    async workOff(random) {
      await feed(random, true);
      await freeOrphans(db);
      jobs.splice(0, jobs.length, ...(await waiting()));
      while (jobs.length > 0) await claim(random, pick(random, workers));
      for (const worker of workers) await flush(random, worker.hands, true);
    },
    async repeatAll() {
      await flush(seeded(1), ghosts, true);
      for (const old of flushes) await repeat(old);
    },
  };
}

/** Chooses at random what happens to some of the claimed lines. If `hurry` is true, all lines get a result. */
function drawFates(
  random: Random,
  hands: readonly Hand[],
  hurry: boolean,
): { results: ResultFields[]; returns: SliceReturn[] } {
  const results: ResultFields[] = [];
  const returns: SliceReturn[] = [];
  for (const { slice, lines } of hands) {
    const back: number[] = [];
    for (const line of lines) {
      const fate = hurry ? random() * 0.3 : random();
      if (fate > 0.5) continue;
      lines.delete(line);
      if (fate < 0.35) results.push(came(slice, line, fate, random));
      else if (fate < 0.42) returns.push(retried(slice, line, Math.floor(random() * 3)));
      else back.push(line);
    }
    if (back.length > 0) returns.push(unsent(slice, back));
  }
  return { results, returns };
}

function came(slice: ClaimedSlice, line: number, fate: number, random: Random): ResultFields {
  const { batchNo, requestGen, sliceNo } = slice;
  const totalTokens = 1 + Math.floor(random() * 1_000);
  const usage = { inputTokens: 0, outputTokens: 0, totalTokens, cachedTokens: 0, reasoningTokens: 0 };
  if (fate < 0.18) return { batchNo, line, sliceNo, requestGen, usage };
  return { batchNo, line, sliceNo, requestGen, resultKind: "error", isExhausted: fate < 0.25 };
}

/** Returns a flush with two segments, like the flush of a worker that has fallen behind. */
function inTwoSegments(results: readonly ResultFields[], returns: readonly SliceReturn[], firstCount: number): Flush {
  const [first, second] = [flushOf(results.slice(0, firstCount)), flushOf(results.slice(firstCount), returns)];
  return {
    segments: [...first.segments, ...second.segments],
    results: [...first.results, ...second.results],
    returns: second.returns,
  };
}

function placeOf({ segment, offset }: LineResult): string {
  return `${segment} ${String(offset)}`;
}

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new Error("there is nothing to pick from");
  return found;
}
