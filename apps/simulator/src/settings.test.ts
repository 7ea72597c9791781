import { expect, test } from "@jest/globals";
import { changeSettings, DEFAULT_SETTINGS, SettingsError } from "./settings.ts";

test("changes only the given settings", () => {
  const settings = changeSettings(DEFAULT_SETTINGS, { latencyMs: 20, concurrency: 3 });

  expect(settings).toEqual({ ...DEFAULT_SETTINGS, latencyMs: 20, concurrency: 3 });
  expect(changeSettings(settings, { concurrency: null })).toEqual({ ...DEFAULT_SETTINGS, latencyMs: 20 });
});

test("lists all faults of a change at once", () => {
  const change = { latency: 1, errorRate: 2, faults: [{ status: 99 }] };

  expect(() => changeSettings(DEFAULT_SETTINGS, change)).toThrow(SettingsError);
  expect(() => changeSettings(DEFAULT_SETTINGS, change)).toThrow(
    "/latency: expected no such key; /errorRate: expected a share from 0 to 1; " +
      "/faults/0/status: expected a status from 200 to 599",
  );
  expect(() => changeSettings(DEFAULT_SETTINGS, null)).toThrow("/: expected a map of settings");
});
