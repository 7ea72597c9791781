/** Records the peak memory of a stack's processes. */
import { peakRssBytes } from "../processes.ts";
import type { Role, StackProcess } from "./environment.ts";

/** The peak memory of one process. */
export interface MemoryPeak {
  readonly role: Role;
  readonly pid: number;
  readonly bytes: number;
}

export interface MemoryWatch {
  /** Returns the peaks of all processes so far, including processes that have ended. */
  readonly look: () => Promise<readonly MemoryPeak[]>;
  readonly stop: () => void;
}

const EVERY_MS = 500;

/** Measures twice a second, because the kernel drops the high-water mark of a process when the process ends. */
export function watchMemory(find: () => Promise<readonly StackProcess[]>): MemoryWatch {
  const peaks = new Map<number, MemoryPeak>();
  const look = async (): Promise<readonly MemoryPeak[]> => {
    for (const { role, pid } of await find()) {
      const bytes = await peakRssBytes(pid);
      if (bytes !== null) peaks.set(pid, { role, pid, bytes });
    }
    return [...peaks.values()];
  };
  let isLooking = false;
  const timer = setInterval(() => {
    // On a busy machine one measurement can take longer, and overlapping ones would slow it down further.
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, EVERY_MS);
  timer.unref();
  return {
    look,
    stop: () => {
      clearInterval(timer);
    },
  };
}
