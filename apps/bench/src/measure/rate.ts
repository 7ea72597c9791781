/** Throughput in the middle of a run, without its start and end. */

/** Points of a run: seconds since its start, and the number of lines done at that time. */
export type Progress = readonly (readonly [number, number])[];

/**
 * Returns the lines per second between the shares `from` and `to` of `total`. Throws if fewer than two points lie
 * between them.
 */
export function rateBetween(progress: Progress, total: number, from: number, to: number): number {
  const inside = progress.filter(([, done]) => done >= total * from && done <= total * to);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || last[0] === first[0])
    throw new Error("the run was too short to measure a rate");
  return (last[1] - first[1]) / (last[0] - first[0]);
}
