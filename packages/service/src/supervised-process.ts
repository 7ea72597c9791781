/** Supervises a child process: restarts it when it exits, and stops it in order. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createBackoff } from "./backoff.ts";
import { describeError } from "./describe-error.ts";
import { isListening } from "./lifecycle.ts";
import { StartupError } from "./startup-error.ts";

/**
 * The time to wait for the last lines of output. It is short, because a surviving grandchild may hold the pipe open.
 */
const OUTPUT_MS = 1_000;

export interface SuperviseOptions {
  /** Forks the program, which reports its URL with `Lifecycle.listening`. Called at each start. */
  readonly start: () => ChildProcess;
  /** Returns the message for a first start that exited before it served. */
  readonly whyNotServed: () => string;
  /** Called whenever the pid changes. */
  readonly onPid: () => void;
  /** Called after each unexpected exit. */
  readonly onEnd: (message: string) => void;
  /** Kills a child that did not end in time. */
  readonly endByForce: (child: ChildProcess) => void;
}

export interface SupervisedProcess {
  /**
   * Resolves with the URL of the first start. Rejects with StartupError if the process exits before it serves; the
   * process is not restarted then.
   */
  readonly listening: Promise<string>;
  /** Returns the pid, or undefined while the process is down. */
  readonly pid: () => number | undefined;
  /** Returns the current URL, or undefined while the process does not serve. */
  readonly url: () => string | undefined;
  /** Stops the process in order and starts it again. */
  readonly restart: () => void;
  /**
   * Sends SIGTERM, and kills the process after `patienceMs`. Resolves when the process is gone, with true if it ended
   * in order.
   */
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
      options.onEnd(`ended ${how}; restarting it`);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    // The process was down when it was asked to stop.
    return IN_ORDER;
  };
  const gone = keepRunning();
  const listening = Promise.race([
    firstUrl,
    gone.then(() => {
      throw new StartupError(options.whyNotServed());
    }),
  ]);
  // The caller that awaits `listening` gets the error. Nothing awaits it if the start is abandoned for another reason.
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

/** Calls `onExit` when the child exits, and resolves with a description of the exit. */
async function untilEnded(child: ChildProcess, onExit: () => void): Promise<string> {
  const closed = once(child, "close").catch(() => undefined);
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    onExit();
    await Promise.race([closed, delay(OUTPUT_MS, undefined, { ref: false })]);
    return signal === null ? `with code ${String(code)}` : `by ${signal}`;
  } catch (error) {
    return `before it started (${describeError(error)})`;
  }
}
