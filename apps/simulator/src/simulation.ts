/** The state of one simulator: its settings, what follows from them, and what it saw. */
import { createFaultScript, type FaultScript } from "./faults.ts";
import { createRateLimit, type RateLimit } from "./rate-limit.ts";
import { createSightingRecord, type SightingRecord } from "./record.ts";
import { changeSettings, DEFAULT_SETTINGS, type SimulatorSettings } from "./settings.ts";

export interface Simulation {
  readonly record: SightingRecord;
  /** The settings now, with the faults that are left. */
  settings(): SimulatorSettings;
  /** Changes what `change` names and nothing else. Throws SettingsError. */
  change(change: unknown): void;
  /** The settings' numbers, without counting the faults: what each request looks at. */
  current(): SimulatorSettings;
  script(): FaultScript;
  rateLimit(): RateLimit | null;
}

/** A simulator that has seen nothing. Throws SettingsError. */
export function createSimulation(initial: Partial<SimulatorSettings>): Simulation {
  let settings = changeSettings(DEFAULT_SETTINGS, initial);
  let script = createFaultScript(settings.faults);
  let rateLimit = limitFor(settings);

  return {
    record: createSightingRecord(),
    settings: () => ({ ...settings, faults: script.left() }),
    change(change) {
      const changed = changeSettings(settings, change);
      // A rate that stays keeps its window, and a script that stays its place.
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
