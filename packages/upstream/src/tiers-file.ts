/**
 * Reads the section `tiers` of the YAML file that NIGHTSHIFT_CONFIG names. Its faults are reported together with all
 * other faults of the file.
 */
import { createTiers, MAX_BATCH_LINES, MAX_FILE_BYTES, type TierLimits, type Tiers } from "@nightshift/domain";
import { type Static, Type } from "@sinclair/typebox";
import type { Place, RouteFault } from "./routes-error.ts";

const limit = (minimum: number, maximum: number, unit: string) =>
  Type.Optional(
    Type.Integer({
      minimum,
      maximum,
      description: `a whole number of ${unit} from ${String(minimum)} to ${String(maximum)}`,
    }),
  );

const TIER = Type.Object(
  {
    concurrent_batches: limit(1, 1_000_000, "batches"),
    queued_batches: limit(0, 1_000_000, "batches"),
    file_bytes: limit(1, MAX_FILE_BYTES, "bytes"),
    lines_per_batch: limit(1, MAX_BATCH_LINES, "lines"),
    stored_bytes: limit(0, Number.MAX_SAFE_INTEGER, "bytes"),
    requests_per_minute: limit(1, 1_000_000, "requests"),
  },
  { additionalProperties: false, description: "a map of limits" },
);

/** The schema of the section. */
export const TIERS = Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,39}$" }), TIER, {
  additionalProperties: false,
  description: "a map of names to tiers",
  keys: "a name of 1 to 40 characters (a-z, 0-9, _ and -) that begins with a letter or a digit",
});

/** Returns the faults that the schema cannot find. */
export function tierFaults(file: unknown, place: Place): RouteFault[] {
  const { tiers } = (file ?? {}) as { tiers?: unknown };
  if (typeof tiers !== "object" || tiers === null) return [];
  return Object.entries(tiers as Record<string, unknown>).flatMap(([name, tier]) => {
    const { queued_batches: queued, concurrent_batches: concurrent } = (tier ?? {}) as Record<string, unknown>;
    if (queued === undefined || concurrent !== undefined) return [];
    const expected = "concurrent_batches too, because without that limit no batch is ever queued";
    return [{ ...place(["tiers", name, "queued_batches"]), got: "queued_batches alone", expected }];
  });
}

/** Creates the tiers of a valid section. If the section is missing, there are no limits. */
export function buildTiers(section: Static<typeof TIERS> = {}): Tiers {
  const limits = Object.entries(section).map(([name, tier]): [string, TierLimits] => [
    name,
    {
      concurrentBatches: tier.concurrent_batches ?? null,
      queuedBatches: tier.queued_batches ?? null,
      fileBytes: tier.file_bytes ?? null,
      linesPerBatch: tier.lines_per_batch ?? null,
      storedBytes: tier.stored_bytes ?? null,
      requestsPerMinute: tier.requests_per_minute ?? null,
    },
  ]);
  return createTiers(Object.fromEntries(limits));
}
