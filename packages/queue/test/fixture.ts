/** The fixture of the suites: queues that close after each test, a readable log, and handlers that a test can hold. */
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { openQueues, type JobQueues, type QueueBackend } from "../src/index.ts";
import { prefix, type BackendUnderTest } from "./backend-under-test.ts";

/** The fixture of a suite; use it inside tests. */
export interface Fixture {
  readonly under: () => BackendUnderTest;
  /** Opens queues with one upstream, `up`, as another process would. */
  readonly open: (backend?: QueueBackend) => Promise<JobQueues>;
  /** Counts the messages logged since the test began. */
  readonly logged: (message: string) => number;
}

/** Opens the backend for the suite. Closes after each test the queues that the test opened. */
export function useQueues(openBackend: () => Promise<BackendUnderTest>): Fixture {
  let under: BackendUnderTest | undefined;
  let opened: JobQueues[] = [];
  let messages: string[] = [];
  const logger = {
    info: (_fields: object, message: string) => messages.push(message),
    warn: (_fields: object, message: string) => messages.push(message),
  };
  beforeAll(async () => {
    under = await openBackend();
  });
  afterEach(async () => {
    await Promise.all(opened.map((queues) => queues.close(2000)));
    await under!.wipe();
    opened = [];
    messages = [];
  });
  afterAll(async () => {
    await under?.close();
  });
  return {
    under: () => under!,
    open: async (backend = under!.backend) => {
      const queues = await openQueues({ backend, upstreams: ["up"], logger, prefix });
      opened.push(queues);
      return queues;
    },
    logged: (message) => messages.filter((logged) => logged === message).length,
  };
}

type Board = ReturnType<JobQueues["boards"]>[number];

/** Reports whether a queue has no job in one of these states. */
export async function hasNone(board: Board, ...states: Parameters<Board["getJobCountByTypes"]>): Promise<boolean> {
  return (await board.getJobCountByTypes(...states)) === 0;
}

/** A handler that runs until the test releases it, with counters. */
export interface Gate {
  readonly handler: (payload: unknown, signal: AbortSignal) => Promise<void>;
  /** Releases the running handlers and all later ones. */
  readonly open: () => void;
  /** Returns how often the handler was called. */
  readonly calls: () => number;
  /** Returns how many calls run now. */
  readonly running: () => number;
  /** Returns the maximum number of calls that ran at the same time since the last call of `peak`. */
  readonly peak: () => number;
  /** Returns how many calls saw their signal aborted. */
  readonly aborted: () => number;
}

/** Creates a closed gate. */
export function createGate(): Gate {
  let calls = 0;
  let running = 0;
  let peak = 0;
  let aborted = 0;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    handler: async (_payload, signal) => {
      calls += 1;
      running += 1;
      peak = Math.max(peak, running);
      const ended = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted += 1;
          reject(new Error("aborted"));
        });
      });
      try {
        await Promise.race([opened, ended]);
        // Wait for one turn of the event loop, so that a test can see several handlers run at the same time.
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        running -= 1;
      }
    },
    open: () => {
      open();
    },
    calls: () => calls,
    running: () => running,
    peak: () => {
      const seen = peak;
      peak = running;
      return seen;
    },
    aborted: () => aborted,
  };
}
