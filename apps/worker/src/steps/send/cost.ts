/** How much of an upstream's limits it takes to send one line. */

export interface Cost {
  /** Request credits: taken by each attempt. */
  readonly requests: number;
  /** Permits: held from the send to the reply. */
  readonly slots: number;
}

/** Every line costs the same: no limit depends on the size of a request. */
export const LINE_COST: Cost = { requests: 1, slots: 1 };
