/** Tiers: named sets of limits for tenants. */

/** Null means that only the contract's own limit applies. */
export interface TierLimits {
  /** Batches that run at once, from the start of validation to their end. */
  readonly concurrentBatches: number | null;
  /** Batches that wait in addition to those that run. Only together with concurrentBatches. */
  readonly queuedBatches: number | null;
  /** Bytes of one uploaded file. */
  readonly fileBytes: number | null;
  /** Requests of one batch. */
  readonly linesPerBatch: number | null;
  /** Bytes of all live files together. */
  readonly storedBytes: number | null;
  /** API requests in each minute of the clock, across all API processes. */
  readonly requestsPerMinute: number | null;
}

export const NO_LIMITS: TierLimits = Object.freeze({
  concurrentBatches: null,
  queuedBatches: null,
  fileBytes: null,
  linesPerBatch: null,
  storedBytes: null,
  requestsPerMinute: null,
});

/** The tier of tenants that have no tier set. */
export const DEFAULT_TIER = "default";

/** The configured tiers. */
export interface Tiers {
  /** All tier names, including `default`. */
  readonly names: readonly string[];
  /** True if no tier has a limit. The caller then need not look up a tenant's tier. */
  readonly isUnlimited: boolean;
  /** Returns the limits of a tier, and those of `default` for null and for a name that is no longer configured. */
  limitsOf(name: string | null): TierLimits;
}

/** Creates tiers by name. If `default` is not among them, it has no limits. */
export function createTiers(limits: Readonly<Record<string, TierLimits>>): Tiers {
  const byName = new Map<string, TierLimits>([[DEFAULT_TIER, NO_LIMITS], ...Object.entries(limits)]);
  const fallback = byName.get(DEFAULT_TIER) ?? NO_LIMITS;
  return {
    names: [...byName.keys()],
    isUnlimited: [...byName.values()].every((tier) => Object.values(tier).every((limit) => limit === null)),
    limitsOf: (name) => byName.get(name ?? DEFAULT_TIER) ?? fallback,
  };
}

/** The tiers of an installation that configures none. */
export const NO_TIERS = createTiers({});
