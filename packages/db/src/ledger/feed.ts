/** Feeds an upstream: moves the checkpoints of its batches and inserts their slices, in one transaction. */
import type { FeedWindow } from "@nightshift/domain";
import type { Db, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";
import { releaseParked, roomForParked } from "./parked-slices.ts";
import { fullMask, SMALL_BATCH_LINES, toBigint, type WaitingSlice } from "./slice-row.ts";

/** A batch with lines past its checkpoint. */
export interface FeedCandidate {
  readonly batchNo: number;
  readonly tenant: string;
  readonly weight: number;
  readonly fedLines: number;
  readonly fedBytes: number;
  readonly total: number;
  readonly deadline: Date;
  readonly indexBlob: string;
  /** The number of lines in slices. */
  readonly outstanding: number;
}

/** The window of an upstream, over all its batches, and the batches that have lines for it. */
export interface FeedState extends FeedWindow {
  readonly isPaused: boolean;
  /** True if retries wait for room in the window. */
  readonly hasParked: boolean;
  readonly candidates: readonly FeedCandidate[];
}

/** A run of lines to hand out. It starts at the checkpoint of its batch, or at the end of the previous run. */
export interface NewSlice {
  readonly batchNo: number;
  readonly firstLine: number;
  readonly lineCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/**
 * Passes the upstream's state to `plan`, which returns the slices, under the upstream's advisory lock. If a batch was
 * cancelled or fed while `plan` ran, its checkpoint stays and its slices are dropped. Returns the slices to enqueue.
 */
export async function feedUpstream(
  db: Db,
  upstream: string,
  now: Date,
  plan: (state: FeedState) => Promise<NewSlice[]>,
): Promise<WaitingSlice[]> {
  return withTx(db, async (tx) => {
    await tx.query("/* ledger.feed_lock */ select pg_advisory_xact_lock(hashtextextended('feed ' || $1, 0))", [
      upstream,
    ]);
    const read = await readFeedState(tx, upstream, now);
    if (read === null) return [];
    const parkedRoom = roomForParked(read);
    const state = { ...read, dueLines: read.dueLines + parkedRoom };
    const planned = state.candidates.length === 0 ? [] : await plan(state);
    if (planned.length === 0) return releaseParked(tx, upstream, parkedRoom);
    const moved = await moveCheckpoints(tx, state.candidates, planned);
    const fed = await insertSlices(
      tx,
      upstream,
      planned.filter((slice) => moved.has(slice.batchNo)),
      new Set(state.candidates.filter((c) => c.total <= SMALL_BATCH_LINES).map((c) => c.batchNo)),
    );
    return [...(await releaseParked(tx, upstream, parkedRoom)), ...fed];
  });
}

/** The number of batches that one feed considers: small batches first, then by deadline. */
const MAX_CANDIDATES = 200;

interface LoadRow {
  batchNo: number;
  tenant: string;
  dueLines: number;
  dueBytes: number;
  laterLines: number;
}

async function readFeedState(tx: Tx, upstream: string, now: Date): Promise<FeedState | null> {
  const limits = await tx.query<Omit<FeedState, "dueLines" | "dueBytes" | "laterLines" | "linesOut" | "candidates">>(
    `/* ledger.feed_limits */
    select concurrency, requests_per_minute as "requestsPerMinute", slice_lines as "sliceLines", line_ms as "lineMs",
      paused_until > clock_timestamp() as "isPaused",
      exists (select 1 from slices where upstream = $1 and not_before = 'infinity') as "hasParked",
      (select coalesce(sum(lines_per_second), 0)::float8 from permits where upstream = $1) as "linesPerSecond"
    from upstreams where name = $1`,
    [upstream],
  );
  const limit = limits.rows[0];
  if (limit === undefined) return null;
  const { rows: loads } = await tx.query<LoadRow>(
    `/* ledger.feed_load */
    select s.batch_no as "batchNo", b.tenant,
      coalesce(sum(bit_count(todo::bit(64))) filter (where not_before <= clock_timestamp()), 0)::int as "dueLines",
      coalesce(sum(byte_length) filter (where not_before <= clock_timestamp()), 0)::float8 as "dueBytes",
      coalesce(sum(bit_count(todo::bit(64))) filter (where not_before > clock_timestamp()), 0)::int as "laterLines"
    from slices s join batches b on b.batch_no = s.batch_no
    where s.upstream = $1 and s.not_before < 'infinity' group by s.batch_no, b.tenant`,
    [upstream],
  );
  const linesOut = new Map<string, number>();
  for (const { tenant, dueLines, laterLines } of loads) {
    linesOut.set(tenant, (linesOut.get(tenant) ?? 0) + dueLines + laterLines);
  }
  const outstanding = new Map(loads.map((row) => [row.batchNo, row.dueLines + row.laterLines]));
  const { rows: candidates } = await tx.query<Omit<FeedCandidate, "outstanding">>(
    `/* ledger.feed_candidates */
    select b.batch_no as "batchNo", b.tenant, t.weight::float8 as weight, b.fed_lines as "fedLines",
      b.fed_bytes as "fedBytes", b.total, b.deadline, b.index_blob as "indexBlob"
    from batches b join tenants t on t.id = b.tenant
    where b.upstream = $1 and b.status = 'in_progress' and b.fed_lines < b.total and b.deadline > $2
    order by b.total > $3, b.deadline limit $4`,
    [upstream, now, SMALL_BATCH_LINES, MAX_CANDIDATES],
  );
  const sum = (pick: (row: LoadRow) => number): number => loads.reduce((total, row) => total + pick(row), 0);
  return {
    ...limit,
    dueLines: sum((row) => row.dueLines),
    dueBytes: sum((row) => row.dueBytes),
    laterLines: sum((row) => row.laterLines),
    linesOut,
    candidates: candidates.map((row) => ({ ...row, outstanding: outstanding.get(row.batchNo) ?? 0 })),
  };
}

/** Moves each checkpoint that has not changed since it was read. Returns the batches whose checkpoints moved. */
async function moveCheckpoints(
  tx: Tx,
  candidates: readonly FeedCandidate[],
  planned: readonly NewSlice[],
): Promise<Set<number>> {
  const ends = new Map<number, { lines: number; bytes: number }>();
  for (const slice of planned) {
    const end = { lines: slice.firstLine + slice.lineCount, bytes: slice.byteOffset + slice.byteLength };
    if ((ends.get(slice.batchNo)?.lines ?? 0) < end.lines) ends.set(slice.batchNo, end);
  }
  // Lock rows in ascending order, as every other statement does.
  const fed = candidates.filter((c) => ends.has(c.batchNo)).sort((a, b) => a.batchNo - b.batchNo);
  const { rows } = await tx.query<{ batchNo: number }>(
    `/* ledger.move_checkpoints */
    update batches b set fed_lines = v.new_lines, fed_bytes = v.new_bytes
    from unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[]) as v (batch_no, old_lines, new_lines, new_bytes)
    where b.batch_no = v.batch_no and b.fed_lines = v.old_lines and b.status = 'in_progress'
    returning b.batch_no as "batchNo"`,
    [
      fed.map((c) => c.batchNo),
      fed.map((c) => c.fedLines),
      fed.map((c) => ends.get(c.batchNo)?.lines ?? 0),
      fed.map((c) => ends.get(c.batchNo)?.bytes ?? 0),
    ],
  );
  return new Set(rows.map((row) => row.batchNo));
}

async function insertSlices(
  tx: Tx,
  upstream: string,
  slices: readonly NewSlice[],
  small: ReadonlySet<number>,
): Promise<WaitingSlice[]> {
  const { rows } = await tx.query<{ sliceNo: number; batchNo: number }>(
    `/* ledger.insert_slices */
    insert into slices (batch_no, upstream, first_line, line_count, byte_offset, byte_length, todo)
    select batch_no, $1, first_line, line_count, byte_offset, byte_length, todo
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[])
      as v (batch_no, first_line, line_count, byte_offset, byte_length, todo)
    returning slice_no as "sliceNo", batch_no as "batchNo"`,
    [
      upstream,
      slices.map((s) => s.batchNo),
      slices.map((s) => s.firstLine),
      slices.map((s) => s.lineCount),
      slices.map((s) => s.byteOffset),
      slices.map((s) => s.byteLength),
      slices.map((s) => toBigint(fullMask(s.lineCount))),
    ],
  );
  return rows.map((row) => ({ sliceNo: row.sliceNo, gen: 0, upstream, isBulk: !small.has(row.batchNo), delayMs: 0 }));
}
