/** Converts times for API objects. */

/** Returns Unix seconds, rounded down. */
export function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** Works like toSeconds, and returns null for null. */
export function toSecondsOrNull(date: Date | null): number | null {
  return date === null ? null : toSeconds(date);
}
