/** Times in API objects. */

/** Unix seconds, rounded down. */
export function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** Like toSeconds, but null stays null. */
export function toSecondsOrNull(date: Date | null): number | null {
  return date === null ? null : toSeconds(date);
}
