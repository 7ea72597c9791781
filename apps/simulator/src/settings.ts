/** The simulator's settings, which can change while it runs. */
import { type Static, Type } from "@sinclair/typebox";
import { Ajv } from "ajv";

const closed = { additionalProperties: false } as const;

const FAULT = Type.Object(
  {
    match: Type.Optional(Type.String({ description: "text that the request's body contains; absent: any request" })),
    status: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, description: "a status from 200 to 599" })),
    body: Type.Optional(Type.String({ description: "the reply's exact body, as a string" })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ description: "a string" }), { description: "a map of strings" }),
    ),
    times: Type.Optional(Type.Integer({ minimum: 1, description: "a whole number of at least 1 (1 unless set)" })),
    hangMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 86_400_000, description: "milliseconds, at most a day, to wait first" }),
    ),
    cut: Type.Optional(Type.Literal(true, { description: "true: the connection is cut instead of an answer" })),
  },
  { ...closed, description: "a fault" },
);

const limit = Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()], {
  description: "a whole number from 1 to 1000000, or null for no limit",
});

const SETTINGS = Type.Object(
  {
    latencyMs: Type.Number({ minimum: 0, maximum: 86_400_000, description: "median milliseconds from 0 to a day" }),
    latencySigma: Type.Number({ minimum: 0, maximum: 5, description: "a number from 0 to 5" }),
    errorRate: Type.Number({ minimum: 0, maximum: 1, description: "a share from 0 to 1" }),
    requestsPerMinute: limit,
    concurrency: limit,
    replyBytes: Type.Integer({ minimum: 0, maximum: 67_108_864, description: "bytes from 0 to 67108864" }),
    dimensions: Type.Integer({ minimum: 1, maximum: 8192, description: "a whole number from 1 to 8192" }),
    seed: Type.Integer({ description: "a whole number" }),
    keepBodies: Type.Integer({ minimum: 0, maximum: 100_000, description: "a whole number from 0 to 100000" }),
    rawReply: Type.Union([Type.String(), Type.Null()], { description: "the exact body of each answer, or null" }),
    faults: Type.Array(FAULT, { description: "a list of faults" }),
  },
  { ...closed, description: "a map of settings" },
);

/**
 * One scripted fault. It answers with its status (default 500) and body. With `hangMs` alone it only delays the answer.
 */
export type Fault = Static<typeof FAULT>;

/**
 * `latencyMs` is the median of a log-normal distribution with the sigma `latencySigma`. Beyond `requestsPerMinute` and
 * `concurrency`, the simulator answers 429. `replyBytes` is the minimum length of a text, and `dimensions` the length
 * of an embedding. `keepBodies` is the number of request bodies to keep. `faults` are used up in order.
 */
export type SimulatorSettings = Static<typeof SETTINGS>;

/** By default the simulator answers every request at once, without errors and limits. */
export const DEFAULT_SETTINGS: SimulatorSettings = Object.freeze({
  latencyMs: 0,
  latencySigma: 0,
  errorRate: 0,
  requestsPerMinute: null,
  concurrency: null,
  replyBytes: 0,
  dimensions: 1536,
  seed: 1,
  keepBodies: 0,
  rawReply: null,
  faults: [],
});

/** The schemas of single settings, which the schema of the environment uses. */
export const SETTING_SCHEMAS = SETTINGS.properties;

const isValidChange = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile<
  Partial<SimulatorSettings>
>(Type.Partial(SETTINGS));

/** Thrown for invalid settings. The message lists all faults. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Returns `settings` with the changes of `change`. Throws SettingsError. */
export function changeSettings(settings: SimulatorSettings, change: unknown): SimulatorSettings {
  if (!isValidChange(change)) {
    const faults = (isValidChange.errors ?? []).map((error) => {
      const { additionalProperty: unknownKey } = error.params as { additionalProperty?: string };
      const where = `${error.instancePath}${unknownKey === undefined ? "" : `/${unknownKey}`}` || "/";
      const { description } = error.parentSchema as { description?: string };
      return `${where}: expected ${unknownKey === undefined ? (description ?? error.message ?? "") : "no such key"}`;
    });
    throw new SettingsError([...new Set(faults)].join("; "));
  }
  return { ...settings, ...change };
}
