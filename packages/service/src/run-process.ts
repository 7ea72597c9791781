/** Runs the main function of a process, and handles signals, crashes and the exit. */
import type { EventEmitter } from "node:events";
import v8 from "node:v8";
import { withDeadline } from "./deadline.ts";
import { createStopPhases, type Lifecycle } from "./lifecycle.ts";
import { createLogger, type Logger } from "./logger.ts";
import { StartupError } from "./startup-error.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** One Ctrl-C can arrive twice: from the terminal, and from npm, which forwards it. */
const SAME_SIGNAL_MS = 500;

/** How long the shutdown waits for a main function that is still starting. */
const START_ABANDON_MS = 10_000;

/** The stop reason after a failed start, which has already logged or printed its own error. */
const START_FAILED = "the start failed";

/** The members of Node's `process` that this file uses. A test can replace them. */
export interface HostProcess extends Pick<EventEmitter, "on"> {
  readonly stdout: Pick<EventEmitter, "on">;
  readonly stderr: Pick<EventEmitter, "on"> & { write(text: string): unknown };
  readonly connected: boolean;
  readonly send?: (message: unknown) => unknown;
  exit(code: number): void;
}

/**
 * Runs a process. Each main.ts calls only this. The process stops in phases on SIGTERM, on SIGINT, and when the parent
 * that forked it is gone. A second signal of the same kind exits at once. A second signal of the other kind is ignored:
 * Ctrl-C sends SIGINT to the whole process group, and the supervisor then also sends SIGTERM for the same shutdown. A
 * StartupError is printed without its stack. Any other uncaught error is logged, and the process exits with 1.
 */
export function runProcess(
  name: string,
  main: (life: Lifecycle) => Promise<void>,
  host: HostProcess = process as HostProcess,
): void {
  const isOrphan = host.send !== undefined && !host.connected;
  if (isOrphan) {
    host.exit(0);
    return;
  }
  collectGarbageLate();
  let log: Logger = createLogger({ name, level: "info" });
  const phases = createStopPhases();
  const abort = new AbortController();
  let started: Promise<void> = Promise.resolve();

  const stop = (reason: string, exitCode: number): void => {
    if (abort.signal.aborted) return;
    if (reason !== START_FAILED) log.info({ reason }, "stopping");
    abort.abort(new Error(`stopping: ${reason}`));
    void finish(exitCode);
  };
  const finish = async (exitCode: number): Promise<void> => {
    const isFirstClean = await phases.run(log);
    // A main function that is still starting may register more phases, which need a second run.
    const isSettled = await withDeadline(started, START_ABANDON_MS).then(
      () => true,
      () => false,
    );
    const isSecondClean = await phases.run(log);
    host.exit(exitCode === 0 && !(isFirstClean && isSettled && isSecondClean) ? 1 : exitCode);
  };
  const crash = (error: unknown): void => {
    log.fatal({ err: error }, "crashed");
    host.exit(1);
  };

  watchSignals(host, abort.signal, stop);
  host.on("disconnect", () => {
    stop("the parent process is gone", 0);
  });
  host.on("uncaughtException", crash);
  host.on("unhandledRejection", crash);
  for (const stream of [host.stdout, host.stderr]) stream.on("error", ignoreClosedPipe);

  const life: Lifecycle = {
    stopping: abort.signal,
    onStop: (phase, timeoutMs, close) => {
      phases.add({ name: phase, timeoutMs, close });
    },
    stop: (reason, exitCode = 0) => {
      stop(reason, exitCode);
    },
    listening: (url) => {
      if (host.connected) host.send?.({ type: "listening", url });
    },
    logWith: (logger) => {
      log = logger;
    },
  };
  started = main(life).catch((error: unknown) => {
    if (abort.signal.aborted) log.warn({ err: error }, "the start was abandoned");
    else if (error instanceof StartupError) host.stderr.write(`${error.message}\n`);
    else log.fatal({ err: error }, "cannot start");
    stop(START_FAILED, 1);
  });
}

function watchSignals(host: HostProcess, stopping: AbortSignal, stop: (reason: string, code: number) => void): void {
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    let firstAt: number | null = null;
    host.on(signal, () => {
      if (firstAt !== null && stopping.aborted && performance.now() - firstAt >= SAME_SIGNAL_MS) host.exit(exitCode);
      firstAt ??= performance.now();
      stop(signal, 0);
    });
  }
}

/** The reader of our output, often the parent, may be gone. That must not prevent an orderly shutdown. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

const HEAP_GROWTH_PERCENT = 100;

/**
 * After the next collection, V8 lets the heap grow to twice its live size before it marks the whole heap again. V8
 * counts socket buffers as heap, and by default it marks the whole heap for every 25 MB that stream by. That was half
 * of the CPU time of a download from an S3 store: 4.8 ms per MB with V8's default, 2.2 ms with this flag. See
 * docs/adr/0016-collect-garbage-late.md.
 */
function collectGarbageLate(): void {
  v8.setFlagsFromString(`--heap-growing-percent=${String(HEAP_GROWTH_PERCENT)}`);
}
