/** Runs small versions of the benchmarks of docs/performance.md, without checking their times. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";

const root = path.resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

test("the benchmarks `overhead` and `realistic` run on every available profile", async () => {
  const args = ["apps/bench/dist/main.js", "overhead", "realistic", "--smoke"];

  const { stdout } = await run(process.execPath, args, { cwd: root, maxBuffer: 16 * 1024 * 1024 });

  const figures = availableProfiles().flatMap((profile) => [`overhead, ${profile}`, `realistic, ${profile}`]);
  expect(figures.filter((figure) => !stdout.includes(figure))).toEqual([]);
});
