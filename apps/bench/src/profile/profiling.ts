/** What --profile does: has every process of Nightshift write a profile, and makes flame graphs and a table of them. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Profiler } from "node:inspector";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { alignColumns } from "../report/columns.ts";
import { buildCallTree, hottest } from "./call-tree.ts";
import { renderFlameGraph } from "./flame-graph.ts";

const ENDING = ".cpuprofile";
const FUNCTIONS = 10;

/** The variables that make a process profile itself into `folder`, which is emptied for it. */
export async function prepareProfiles(folder: string): Promise<Record<string, string>> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const hook = fileURLToPath(new URL("./profile-hook.js", import.meta.url));
  return { NODE_OPTIONS: `--import=${hook}`, BENCH_PROFILE_DIR: folder };
}

/** Draws each profile in `folder` beside it, and tells of each process where its time went. */
export async function reportProfiles(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((file) => file.endsWith(ENDING)).map((file) => path.parse(file).name);
  const reports: string[] = [];
  for (const name of names.sort()) {
    const text = await readFile(path.join(folder, name + ENDING), "utf8");
    reports.push(await reportProfile(folder, name, JSON.parse(text) as Profiler.Profile));
  }
  return reports.join("\n");
}

async function reportProfile(folder: string, name: string, profile: Profiler.Profile): Promise<string> {
  const tree = buildCallTree(profile);
  const picture = path.join(folder, `${name}.svg`);
  await writeFile(picture, await renderFlameGraph(name, tree));
  const rows = hottest(profile, FUNCTIONS).map(({ name: called, place, selfMs }) => {
    const share = (100 * selfMs) / tree.busyMs;
    return [`${selfMs.toFixed(0)} ms`, `${share.toFixed(1)} %`, called, place];
  });
  const head = `${name}: busy ${tree.busyMs.toFixed(0)} ms in ${tree.seconds.toFixed(1)} s, drawn in ${picture}\n`;
  return head + alignColumns([["self", "of busy", "function", "where"], ...rows]);
}
