/** Lines a second in the middle of a run, where neither its beginning nor its end counts. */

/** Points of a run: seconds since its beginning, and lines done by then. */
export type Progress = readonly (readonly [number, number])[];

/** Between `from` and `to`, both shares of `total`. Throws where fewer than two points lie between them. */
export function rateBetween(progress: Progress, total: number, from: number, to: number): number {
  const inside = progress.filter(([, done]) => done >= total * from && done <= total * to);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || last[0] === first[0]) throw new Error("the run was over too soon");
  return (last[1] - first[1]) / (last[0] - first[0]);
}
