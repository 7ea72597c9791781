/** Tiers: named sets of limits for tenants. */

/** Null means that only the contract's own limit applies. */
export interface TierLimits {
  /** The maximum number of batches that run at the same time, from the start of validation to their end. */
  readonly concurrentBatches: number | null;
  /**
   * The maximum number of batches that wait, in addition to the running ones. Set only together with concurrentBatches.
   */
  readonly queuedBatches: number | null;
  /** The maximum size of one uploaded file. */
  readonly fileBytes: number | null;
  /** The maximum number of requests in one batch. */
  readonly linesPerBatch: number | null;
  /** The maximum size of all live files together. */
  readonly storedBytes: number | null;
  /** The maximum number of API requests in each minute of the clock, across all API processes. */
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
  /** True if no tier has a limit. The caller then does not have to look up a tenant's tier. */
  readonly isUnlimited: boolean;
  /** Returns the limits of a tier. Null, and a name that is no longer configured, get the limits of `default`. */
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
