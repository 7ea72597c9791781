/** The scripted faults: which one, if any, a request runs into. */
import type { Fault } from "./settings.ts";

export interface FaultScript {
  /** The first fault left whose text is in `body`, used up by one. */
  take(body: Buffer): Fault | null;
  /** What is left, with `times` counted down. */
  left(): Fault[];
}

/** A script that consumes `faults` in order. */
export function createFaultScript(faults: readonly Fault[]): FaultScript {
  const waiting = faults.map((fault) => ({ fault, times: fault.times ?? 1 }));
  return {
    take(body) {
      const at = waiting.findIndex(({ fault }) => fault.match === undefined || body.includes(fault.match));
      const found = waiting[at];
      if (found === undefined) return null;
      found.times -= 1;
      if (found.times === 0) waiting.splice(at, 1);
      return found.fault;
    },
    left: () => waiting.map(({ fault, times }) => ({ ...fault, times })),
  };
}
