/** Times on the wire. */

/** Unix seconds, rounded down. */
export function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** The same for a time that may not have come. */
export function toSecondsOrNull(date: Date | null): number | null {
  return date === null ? null : toSeconds(date);
}
