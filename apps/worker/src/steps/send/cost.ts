/** How much of an upstream's limits one line uses. */

export interface Cost {
  /** The request credits that each attempt uses up. */
  readonly requests: number;
  /** The permits that are held from the send to the reply. */
  readonly slots: number;
}

/** Every line costs the same, because no limit depends on the size of a request. */
export const LINE_COST: Cost = { requests: 1, slots: 1 };
