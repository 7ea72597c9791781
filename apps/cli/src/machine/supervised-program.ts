/** One program of the service, kept running: forked, watched, started again when it ends, ended in order. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { StartupError } from "@nightshift/service";
import { createBackoff } from "./backoff.ts";
import type { ProgramLog } from "./program-log.ts";
import { programFile, type ProgramName } from "./programs.ts";

export interface ProgramOptions {
  readonly name: ProgramName;
  readonly args: readonly string[];
  /** Asked at each start, because what it names (a database URL, a port) may have changed since the last. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly log: ProgramLog;
  /** Called whenever the pid changes. */
  readonly onPid: () => void;
  /** Told about each end that nobody asked for. */
  readonly onEnd: (message: string) => void;
}

export interface SupervisedProgram {
  readonly name: ProgramName;
  /** Where the first start serves. Rejects with StartupError when it ends before it does: then it is not started again. */
  readonly listening: Promise<string>;
  /** Undefined while it is down. */
  readonly pid: () => number | undefined;
  /** Ends it in order, and starts it again with the environment as it is then. */
  readonly restart: () => void;
  /** SIGTERM, and SIGKILL after `patienceMs`. Resolves when it is gone for good. */
  readonly stop: (patienceMs: number) => Promise<void>;
}

/** Starts the program and keeps it running until `stop`. */
export function superviseProgram(options: ProgramOptions): SupervisedProgram {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  const backoff = createBackoff();
  let child: ChildProcess | null = null;
  let onListening: (url: string) => void = () => undefined;
  const firstUrl = new Promise<string>((resolve) => {
    onListening = resolve;
  });
  let hasServed = false;

  const runOnce = async (): Promise<string> => {
    child = startProgram(options);
    options.onPid();
    child.on("message", (message: unknown) => {
      if (!isListening(message)) return;
      hasServed = true;
      onListening(message.url);
    });
    // Not "exit": the last lines of its output are worth waiting for.
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    child = null;
    options.onPid();
    return signal === null ? `with code ${String(code)}` : `by ${signal}`;
  };
  const keepRunning = async (): Promise<void> => {
    while (!isStopping()) {
      const started = performance.now();
      const how = await runOnce();
      if (isStopping() || !hasServed) return;
      const waitMs = backoff.next(performance.now() - started);
      options.onEnd(`ended ${how}; it is started again`);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const gone = keepRunning();
  const listening = Promise.race([
    firstUrl,
    gone.then(() => {
      const words = options.log.lastWords();
      throw new StartupError(words === "" ? `The ${options.name} ended before it served.` : words);
    }),
  ]);
  // Whoever waits for it is told; nobody waits any more when the start is abandoned for another reason.
  listening.catch(() => undefined);

  return {
    name: options.name,
    listening,
    pid: () => child?.pid,
    restart: () => {
      child?.kill("SIGTERM");
    },
    stop: async (patienceMs) => {
      stopping.abort();
      child?.kill("SIGTERM");
      const kill = setTimeout(() => child?.kill("SIGKILL"), patienceMs);
      await gone;
      clearTimeout(kill);
    },
  };
}

function startProgram(options: ProgramOptions): ChildProcess {
  const child = fork(programFile(options.name), [...options.args], {
    env: options.env(),
    execArgv: [],
    // A group of its own: Ctrl-C in the terminal is for the supervisor, who ends the programs in their order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("a forked program has pipes");
  options.log.follow({ stdout, stderr });
  return child;
}

function isListening(message: unknown): message is { type: "listening"; url: string } {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    message.type === "listening" &&
    "url" in message &&
    typeof message.url === "string"
  );
}
