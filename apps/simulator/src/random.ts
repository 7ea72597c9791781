/** Repeatable random numbers: the same text always gives the same numbers. */

/** Returns the next number from 0 (inclusive) to 1 (exclusive). The sequence depends only on the text. */
export type Random = () => number;

export function createRandom(text: string): Random {
  let state = hash(text);
  // mulberry32: 32 bits of state are enough for latencies and simulated vectors, and the cost is very low.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Computes FNV-1a over UTF-16 code units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value | 0;
}

/** Draws from the normal distribution with mean 0 and standard deviation 1 (Box-Muller transform). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
