/** The middle of some measurements, and their edges. */

/** Linear between the two neighbours. Throws on no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (low === undefined || high === undefined) throw new Error("no values have no quantile");
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The distribution as a curve: each percentile and its value. */
export function percentiles(values: readonly number[]): [number, number][] {
  return Array.from({ length: 101 }, (_, percent) => [percent, quantile(values, percent / 100)]);
}
