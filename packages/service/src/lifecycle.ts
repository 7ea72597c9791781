/** Stops a process in named phases, in reverse order of its start, each with a timeout. */
import { withDeadline } from "./deadline.ts";
import type { Logger } from "./logger.ts";

/** The interface through which a process' main function registers its shutdown. */
export interface Lifecycle {
  /** Aborted as soon as the process is asked to stop. Do not start anything new after that. */
  readonly stopping: AbortSignal;
  /**
   * Registers a phase of the shutdown. Phases run one after the other, the last registered first. A phase that rejects
   * or takes longer than `timeoutMs` is logged, makes the exit code 1, and the next phase begins.
   */
  onStop(phase: string, timeoutMs: number, close: () => Promise<void> | void): void;
  /** Starts the shutdown, which exits with `exitCode` (0) after all phases. Later calls change nothing. */
  stop(reason: string, exitCode?: number): void;
  /** Sends the process' URL to the parent that forked it: `{ type: "listening", url }` over IPC. */
  listening(url: string): void;
  /** Uses this logger for shutdown and crashes, instead of one at level `info`. */
  logWith(logger: Logger): void;
}

interface Phase {
  readonly name: string;
  readonly timeoutMs: number;
  readonly close: () => Promise<void> | void;
}

/** The shutdown phases of a process. */
export interface StopPhases {
  add(phase: Phase): void;
  /** Runs and forgets all phases, including those added during the run. Returns false if one failed or was too slow. */
  run(log: Logger): Promise<boolean>;
}

/** Creates an empty list of phases. */
export function createStopPhases(): StopPhases {
  const phases: Phase[] = [];
  return {
    add: (phase) => {
      phases.push(phase);
    },
    run: async (log) => {
      let isClean = true;
      for (let phase = phases.pop(); phase !== undefined; phase = phases.pop()) {
        isClean = (await runPhase(phase, log)) && isClean;
      }
      return isClean;
    },
  };
}

async function runPhase(phase: Phase, log: Logger): Promise<boolean> {
  const begun = performance.now();
  try {
    await withDeadline(Promise.resolve(phase.close()), phase.timeoutMs);
    log.debug({ phase: phase.name, tookMs: Math.round(performance.now() - begun) }, "stopped");
    return true;
  } catch (error) {
    log.error({ phase: phase.name, err: error }, "a shutdown phase failed; continuing with the next");
    return false;
  }
}

/** The message with which a program tells its parent process its URL. */
export interface ListeningMessage {
  readonly type: "listening";
  readonly url: string;
}

export function isListening(message: unknown): message is ListeningMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    message.type === "listening" &&
    "url" in message &&
    typeof message.url === "string"
  );
}
