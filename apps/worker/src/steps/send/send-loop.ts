/**
 * Sends unsent lines while the lease and the byte budget allow it. A line frees its slot when its reply has arrived,
 * not when its result is recorded, so recording overlaps with the next sends.
 */
import type { UpstreamReply } from "@nightshift/upstream";
import type { ByteBudget, ReplyBytes } from "./byte-budget.ts";
import type { ClaimRoom } from "./claim-room.ts";
import type { LineTask } from "./line-task.ts";
import type { LinesInHand } from "./lines-in-hand.ts";
import type { UnsentLine, UnsentLines } from "./unsent-lines.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface SendLoop {
  /** Sends the lines that may be sent now. */
  pump(): void;
  inFlight(): number;
  /** Stops sending. */
  close(): void;
  isClosed(): boolean;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
}

export interface SendLoopDeps {
  readonly unsent: UnsentLines;
  readonly inHand: LinesInHand;
  readonly room: ClaimRoom;
  readonly lease: UpstreamLease;
  readonly budget: Pick<ByteBudget, "open" | "isExhausted" | "onRoom">;
  /** Sends one line to the upstream and reads the reply. */
  readonly exchange: (task: LineTask, held: ReplyBytes, signal: AbortSignal) => Promise<UpstreamReply>;
  /** Settles the reply. Resolves when its result or the returned line is in the ledger. */
  readonly settle: (task: LineTask, reply: UpstreamReply, tookMs: number, wasAborted: boolean) => Promise<void>;
}

/** The loop also runs when the lease, the budget or the claim room reports a change. */
export function createSendLoop(deps: SendLoopDeps): SendLoop {
  const { unsent, inHand, room, lease, budget } = deps;
  let inFlight = 0;
  let isClosed = false;
  const waitingForIdle: (() => void)[] = [];

  /**
   * Resolves when the reply has arrived and its result is on the way to the ledger. Calls `onReply` in the same turn.
   */
  const sendLine = async (
    task: LineTask,
    held: ReplyBytes,
    onReply: () => void,
  ): Promise<{ recorded: Promise<void> }> => {
    const startedAt = performance.now();
    const signal = inHand.signalOf(task.slice.batchNo);
    const reply = await deps.exchange(task, held, signal);
    const tookMs = performance.now() - startedAt;
    inFlight -= 1;
    lease.release(task.cost);
    held.finish();
    inHand.remove(task.slice.batchNo);
    const recorded = deps.settle(task, reply, tookMs, signal.aborted);
    room.noteReply();
    onReply();
    if (inFlight === 0) for (const resolve of waitingForIdle.splice(0)) resolve();
    return { recorded };
  };

  const handleLine = async ({ task, settle }: UnsentLine, onReply: () => void): Promise<void> => {
    const held = budget.open();
    // Keep the reply out of this closure: the closure lives until the record commits.
    const { recorded } = await sendLine(task, held, onReply);
    await recorded;
    room.noteRecorded();
    held.release();
    settle();
  };

  const pump = (): void => {
    while (!isClosed && !budget.isExhausted()) {
      const line = unsent.first();
      if (line === undefined || !lease.mayTake(line.task.cost)) break;
      unsent.removeFirst();
      lease.take(line.task.cost);
      inFlight += 1;
      void handleLine(line, pump);
    }
    room.wake();
    lease.report({ unsent: unsent.cost(), waitingSlices: room.waiting() });
  };

  lease.onGrant(pump);
  budget.onRoom(pump);
  room.onChange(pump);
  return {
    pump,
    inFlight: () => inFlight,
    close() {
      isClosed = true;
    },
    isClosed: () => isClosed,
    idle() {
      if (inFlight === 0) return Promise.resolve();
      return new Promise((resolve) => waitingForIdle.push(resolve));
    },
  };
}
