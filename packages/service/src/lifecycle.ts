/** How a process ends: named phases, the reverse of how it was opened, each with a time-out. */
import { withDeadline } from "./deadline.ts";
import type { Logger } from "./logger.ts";

/** What a process' main function gets to say how it is closed. */
export interface Lifecycle {
  /** Aborted as soon as the process is asked to stop; nothing new should be begun after that. */
  readonly stopping: AbortSignal;
  /**
   * Registers a phase of stopping. Phases run one after the other, the last registered first; one that takes longer
   * than `timeoutMs` or rejects is logged, makes the exit code 1, and the next begins.
   */
  onStop(phase: string, timeoutMs: number, close: () => Promise<void> | void): void;
  /** Begins to stop, and exits with `exitCode` (0) when all phases are done. Later calls change nothing. */
  stop(reason: string, exitCode?: number): void;
  /** Tells a parent process that forked this one where it serves: `{ type: "listening", url }` over IPC. */
  listening(url: string): void;
  /** Lets stopping and crashes be logged by the process' own logger instead of one at level `info`. */
  logWith(logger: Logger): void;
}

interface Phase {
  readonly name: string;
  readonly timeoutMs: number;
  readonly close: () => Promise<void> | void;
}

/** The phases of one process, and running them. */
export interface StopPhases {
  add(phase: Phase): void;
  /** Runs and forgets all phases, also those added meanwhile. False when one failed or was too slow. */
  run(log: Logger): Promise<boolean>;
}

/** An empty list of phases. */
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
    log.error({ phase: phase.name, err: error }, "could not stop in order; going on");
    return false;
  }
}

/** The message by which a program tells its parent process where it serves. */
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
