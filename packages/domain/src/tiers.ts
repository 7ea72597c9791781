/** What a tenant may have: limits by the name of its tier. */

/** Null: no limit but the contract's own. */
export interface TierLimits {
  /** Batches that run at once, from the beginning of their validation to their end. */
  readonly concurrentBatches: number | null;
  /** Batches that wait for their turn beside those that run; only together with concurrentBatches. */
  readonly queuedBatches: number | null;
  /** Bytes of one uploaded file. */
  readonly fileBytes: number | null;
  /** Requests of one batch. */
  readonly linesPerBatch: number | null;
  /** Bytes of all live files together. */
  readonly storedBytes: number | null;
  /** Requests to the API in a minute of the clock, over all API processes. */
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

/** The tier of tenants without one. */
export const DEFAULT_TIER = "default";

/** The configured tiers. */
export interface Tiers {
  /** All names that a tenant's tier can have, `default` among them. */
  readonly names: readonly string[];
  /** True where no tier limits anything, so that nobody need be asked for his tier. */
  readonly isUnlimited: boolean;
  /** Limits of a tier; of `default` for null, and for a name that is not configured any more. */
  limitsOf(name: string | null): TierLimits;
}

/** Tiers by name; without a `default` that one limits nothing. */
export function createTiers(limits: Readonly<Record<string, TierLimits>>): Tiers {
  const byName = new Map<string, TierLimits>([[DEFAULT_TIER, NO_LIMITS], ...Object.entries(limits)]);
  const fallback = byName.get(DEFAULT_TIER) ?? NO_LIMITS;
  return {
    names: [...byName.keys()],
    isUnlimited: [...byName.values()].every((tier) => Object.values(tier).every((limit) => limit === null)),
    limitsOf: (name) => byName.get(name ?? DEFAULT_TIER) ?? fallback,
  };
}

/** Of an installation that configures none. */
export const NO_TIERS = createTiers({});
