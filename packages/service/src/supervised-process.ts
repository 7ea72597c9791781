/** A child process that is kept running: watched, started again when it ends, ended in order. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createBackoff } from "./backoff.ts";
import { describeError } from "./describe-error.ts";
import { isListening } from "./lifecycle.ts";
import { StartupError } from "./startup-error.ts";

/** The last lines of its output are worth waiting for; not for ever, since a child that outlives it may hold the pipe. */
const OUTPUT_MS = 1_000;

export interface SuperviseOptions {
  /** Forks the program, which says by `Lifecycle.listening` where it serves. Called at each start. */
  readonly start: () => ChildProcess;
  /** What to tell when the first start ended before it served. */
  readonly whyNotServed: () => string;
  /** Called whenever the pid changes. */
  readonly onPid: () => void;
  /** Told about each end that nobody asked for. */
  readonly onEnd: (message: string) => void;
  /** Ends a child that did not end in time. */
  readonly endByForce: (child: ChildProcess) => void;
}

export interface SupervisedProcess {
  /** Where the first start serves. Rejects with StartupError when it ends before it does: then it is not started again. */
  readonly listening: Promise<string>;
  /** Undefined while it is down. */
  readonly pid: () => number | undefined;
  /** Where it serves now; undefined while it does not. */
  readonly url: () => string | undefined;
  /** Ends it in order, and starts it again. */
  readonly restart: () => void;
  /** SIGTERM, and by force after `patienceMs`. Resolves when it is gone for good, true where its end was in order. */
  readonly stop: (patienceMs: number) => Promise<boolean>;
}

/** Starts the process and keeps it running until `stop`. */
export function superviseProcess(options: SuperviseOptions): SupervisedProcess {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  const backoff = createBackoff();
  let child: ChildProcess | null = null;
  let url: string | undefined;
  let onListening: (url: string) => void = () => undefined;
  const firstUrl = new Promise<string>((resolve) => {
    onListening = resolve;
  });
  let hasServed = false;

  const runOnce = async (): Promise<string> => {
    child = options.start();
    options.onPid();
    child.on("message", (message: unknown) => {
      if (!isListening(message)) return;
      hasServed = true;
      url = message.url;
      onListening(message.url);
    });
    const how = await untilEnded(child, () => {
      url = undefined;
    });
    child = null;
    options.onPid();
    return how;
  };
  const keepRunning = async (): Promise<string> => {
    while (!isStopping()) {
      const started = performance.now();
      const how = await runOnce();
      if (isStopping() || !hasServed) return how;
      const waitMs = backoff.next(performance.now() - started);
      options.onEnd(`ended ${how}; it is started again`);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    // It was down when it was asked to stop.
    return IN_ORDER;
  };
  const gone = keepRunning();
  const listening = Promise.race([
    firstUrl,
    gone.then(() => {
      throw new StartupError(options.whyNotServed());
    }),
  ]);
  // Whoever waits for it is told; nobody waits any more when the start is abandoned for another reason.
  listening.catch(() => undefined);

  return {
    listening,
    pid: () => child?.pid,
    url: () => url,
    restart: () => {
      child?.kill("SIGTERM");
    },
    stop: async (patienceMs) => {
      stopping.abort();
      child?.kill("SIGTERM");
      const force = setTimeout(() => {
        if (child !== null) options.endByForce(child);
      }, patienceMs);
      const how = await gone;
      clearTimeout(force);
      return how === IN_ORDER;
    },
  };
}

const IN_ORDER = "with code 0";

/** Resolves with how it ended, and calls `onExit` as soon as it has. */
async function untilEnded(child: ChildProcess, onExit: () => void): Promise<string> {
  const closed = once(child, "close").catch(() => undefined);
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    onExit();
    await Promise.race([closed, delay(OUTPUT_MS, undefined, { ref: false })]);
    return signal === null ? `with code ${String(code)}` : `by ${signal}`;
  } catch (error) {
    return `before it began (${describeError(error)})`;
  }
}
