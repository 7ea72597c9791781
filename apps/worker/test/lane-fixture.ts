/** A fake lease and a fake recorder for tests of a lane's parts. Tests can read and set their state. */
import type { FinishedLine, ReturnedLine } from "../src/steps/record/lines.ts";
import type { Recorder } from "../src/steps/record/recorder.ts";
import type { LaneLoad } from "../src/steps/send/lease-share.ts";
import type { UpstreamLease } from "../src/steps/send/upstream-lease.ts";

export interface FakeLease {
  readonly lease: UpstreamLease;
  permits: number;
  pausedMs: number;
  slotsInUse: number;
  readonly loads: LaneLoad[];
  readonly replies: { readonly tookMs: number; readonly wasThrottled: boolean }[];
  readonly pauses: number[];
  /** Sets the permits and tells the lane, as a renewal does. */
  grant(permits: number): void;
}

/** Creates a lease whose permits only the test changes. */
export function createFakeLease(permits: number): FakeLease {
  let notify: () => void = () => undefined;
  const fake: FakeLease = {
    permits,
    pausedMs: 0,
    slotsInUse: 0,
    loads: [],
    replies: [],
    pauses: [],
    grant(next) {
      fake.permits = next;
      notify();
    },
    lease: {
      permits: () => fake.permits,
      mayTake: (cost) => fake.pausedMs === 0 && fake.slotsInUse + cost.slots <= fake.permits,
      take(cost) {
        fake.slotsInUse += cost.slots;
      },
      release(cost) {
        fake.slotsInUse -= cost.slots;
      },
      pausedMs: () => fake.pausedMs,
      report(load) {
        fake.loads.push(load);
      },
      noteReply(tookMs, wasThrottled) {
        fake.replies.push({ tookMs, wasThrottled });
      },
      pause(ms) {
        fake.pauses.push(ms);
        fake.pausedMs = ms;
      },
      reset() {
        fake.permits = 0;
      },
      onGrant(listener) {
        notify = listener;
      },
      close: () => undefined,
    },
  };
  return fake;
}

export interface FakeRecorder {
  readonly recorder: Pick<Recorder, "finish" | "giveBack" | "flushNow">;
  readonly finished: FinishedLine[];
  readonly returned: ReturnedLine[];
  /** Commits everything that the recorder has so far: the promises of those lines resolve. */
  commit(): void;
}

export function createFakeRecorder(): FakeRecorder {
  const finished: FinishedLine[] = [];
  const returned: ReturnedLine[] = [];
  const uncommitted: (() => void)[] = [];
  const recorded = (): Promise<void> => new Promise((resolve) => uncommitted.push(resolve));
  return {
    finished,
    returned,
    commit() {
      for (const resolve of uncommitted.splice(0)) resolve();
    },
    recorder: {
      finish(line) {
        finished.push(line);
        return recorded();
      },
      giveBack(line) {
        returned.push(line);
        return recorded();
      },
      flushNow: () => undefined,
    },
  };
}

/** Resolves after all promise callbacks that are due now have run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
