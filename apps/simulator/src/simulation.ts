/** The state of one simulator: its settings, the remaining faults, the rate limit, and the record of its requests. */
import { createRequestRecord, type RequestRecord } from "./record.ts";
import { changeSettings, DEFAULT_SETTINGS, type Fault, type SimulatorSettings } from "./settings.ts";

const WINDOW_MS = 60_000;

export interface Simulation {
  readonly record: RequestRecord;
  /** The current settings, with the remaining faults. */
  settings(): SimulatorSettings;
  /** Changes only the settings in `change`. Throws SettingsError. */
  change(change: unknown): void;
  /** The settings for one request. Their `faults` are not counted down, which makes this call cheap. */
  current(): SimulatorSettings;
  script(): FaultScript;
  rateLimit(): RateLimit | null;
}

/** Creates a simulation that has not received any requests. Throws SettingsError. */
export function createSimulation(initial: Partial<SimulatorSettings>): Simulation {
  let settings = changeSettings(DEFAULT_SETTINGS, initial);
  let script = createFaultScript(settings.faults);
  let rateLimit = limitFor(settings);

  return {
    record: createRequestRecord(),
    settings: () => ({ ...settings, faults: script.remaining() }),
    change(change) {
      const changed = changeSettings(settings, change);
      // An unchanged rate keeps its window, and an unchanged script keeps its position.
      if (changed.requestsPerMinute !== settings.requestsPerMinute) rateLimit = limitFor(changed);
      if (changed.faults !== settings.faults) script = createFaultScript(changed.faults);
      settings = changed;
    },
    current: () => settings,
    script: () => script,
    rateLimit: () => rateLimit,
  };
}

function limitFor({ requestsPerMinute }: SimulatorSettings): RateLimit | null {
  return requestsPerMinute === null ? null : createRateLimit(requestsPerMinute);
}

export interface FaultScript {
  /** Takes the first remaining fault whose `match` is in `body`, and counts it down. */
  take(body: Buffer): Fault | null;
  /** The remaining faults, with `times` counted down. */
  remaining(): Fault[];
}

/** A script that uses up `faults` in order. */
function createFaultScript(faults: readonly Fault[]): FaultScript {
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
    remaining: () => waiting.map(({ fault, times }) => ({ ...fault, times })),
  };
}

export interface RateLimit {
  /**
   * Returns null if the request is admitted, or else the milliseconds until a request would be admitted. Refused
   * requests do not count.
   */
  admit(nowMs: number): number | null;
}

/** A sliding window of 60 seconds, with the time of each of the last `requestsPerMinute` admitted requests. */
function createRateLimit(requestsPerMinute: number): RateLimit {
  const admittedAt = new Float64Array(requestsPerMinute).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  return {
    admit(nowMs) {
      const freeAt = (admittedAt[oldest] ?? 0) + WINDOW_MS;
      if (freeAt > nowMs) return freeAt - nowMs;
      admittedAt[oldest] = nowMs;
      oldest = (oldest + 1) % requestsPerMinute;
      return null;
    },
  };
}
