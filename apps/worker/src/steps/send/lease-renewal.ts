/** Decides when a lease is renewed, and runs one renewal at a time. */

export interface LeaseRenewal {
  /** Sets the timer of the next renewal, or brings it forward if the renewal is now due earlier. */
  schedule(): void;
  /** Milliseconds since the end of the last renewal. */
  ageMs(): number;
  close(): void;
}

export interface LeaseRenewalDeps {
  /** Returns the current time between two renewals, or null if no renewal is needed. */
  readonly intervalMs: () => number | null;
  /** Must not reject. */
  readonly renew: () => Promise<void>;
  readonly onRenewed: () => void;
}

export function createLeaseRenewal({ intervalMs, renew, onRenewed }: LeaseRenewalDeps): LeaseRenewal {
  let renewedAt = -Infinity;
  let isRenewing = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | null = null;
  let timerDueAt = Infinity;

  const run = async (scheduleNext: () => void): Promise<void> => {
    timer = null;
    isRenewing = true;
    await renew();
    renewedAt = performance.now();
    isRenewing = false;
    onRenewed();
    scheduleNext();
  };

  const schedule = (): void => {
    if (isClosed || isRenewing) return;
    const interval = intervalMs();
    if (interval === null) return;
    const dueAt = renewedAt + interval;
    if (timer !== null) {
      if (dueAt >= timerDueAt) return;
      clearTimeout(timer);
    }
    timerDueAt = dueAt;
    timer = setTimeout(() => void run(schedule), Math.max(0, dueAt - performance.now()));
  };

  return {
    schedule,
    ageMs: () => performance.now() - renewedAt,
    close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
