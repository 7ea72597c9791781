/** Whether memory that grows is told from memory that only swings. */
import { expect, test } from "@jest/globals";
import { hasGrown, thirdsOf } from "./memory-thirds.ts";

const MEGABYTE = 1_000_000;
const SECONDS = 1_500;

/** A saw of 40 MB, a collection every 7 to 13 s, on what `alive` says, with 3 MB of chance in what each collection leaves. */
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
  ["the same all the time", () => 60, false],
  ["caches that fill in the first third", (second) => 60 + Math.min(20, second / 20), false],
  ["less and less", (second) => 80 - second / 100, false],
  ["8 MB more in each third", (second) => 60 + second / 62, true],
  ["a step of 8 MB at the beginning of the last third", (second) => (second < 1_000 ? 60 : 68), true],
])("%s", (_what, alive, isGrowing) => {
  const [thirds] = thirdsOf("api", run(alive), "live");

  expect(thirds).toBeDefined();
  expect(thirds !== undefined && hasGrown(thirds)).toBe(isGrowing);
});

test("a run without a sample in some part of it says nothing", () => {
  expect(thirdsOf("api", [], "live")).toEqual([]);
  expect(
    thirdsOf(
      "api",
      run(() => 60).filter(({ at }) => at < 200_000 || at > 400_000),
      "live",
    ),
  ).toEqual([]);
});
