import { expect, test } from "@jest/globals";
import { hasGrown, thirdsOf } from "./memory-thirds.ts";

const MEGABYTE = 1_000_000;
const SECONDS = 1_500;

/** Simulates a sawtooth of 40 MB above `alive`: a collection every 7 to 13 s, which leaves up to 3 MB at random. */
function run(alive: (second: number) => number): { at: number; bytes: number }[] {
  let random = 1;
  const chance = (): number => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
  let [saw, left, period] = [0, 0, 10];
  return Array.from({ length: SECONDS }, (_, second) => {
    saw += 40 / period;
    if (saw >= 40) [saw, left, period] = [0, 3 * chance(), 7 + 6 * chance()];
    return { at: second * 1_000, bytes: (alive(second) + left + saw) * MEGABYTE };
  });
}

test.each<[string, (second: number) => number, boolean]>([
  ["constant memory does not count as growth", () => 60, false],
  ["caches that fill in the first third do not count as growth", (second) => 60 + Math.min(20, second / 20), false],
  ["falling memory does not count as growth", (second) => 80 - second / 100, false],
  ["8 MB more in each third counts as growth", (second) => 60 + second / 62, true],
  ["a step of 8 MB in the last third counts as growth", (second) => (second < 1_000 ? 60 : 68), true],
])("%s", (_what, alive, isGrowing) => {
  const [thirds] = thirdsOf("api", run(alive), "live");

  expect(thirds).toBeDefined();
  expect(thirds !== undefined && hasGrown(thirds)).toBe(isGrowing);
});

test("returns nothing for a run with a gap in its samples", () => {
  expect(thirdsOf("api", [], "live")).toEqual([]);
  expect(
    thirdsOf(
      "api",
      run(() => 60).filter(({ at }) => at < 200_000 || at > 400_000),
      "live",
    ),
  ).toEqual([]);
});
