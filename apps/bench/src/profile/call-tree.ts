/** Makes a tree of frames with times out of the samples of a .cpuprofile. */
import type { Profiler } from "node:inspector";

/** A function as it was called from its parent, all such calls together. */
export interface Frame {
  readonly id: number;
  /** Null for the root, which stands for the whole process. */
  readonly parent: number | null;
  readonly name: string;
  /** `worker/dist/main.js:12`; empty for native code. */
  readonly place: string;
  /** Whose code it is: `Nightshift`, `node:`, `native, GC`, or the name of a package. */
  readonly origin: string;
  readonly selfMs: number;
  readonly totalMs: number;
}

export interface CallTree {
  /** Parents before their children. */
  readonly frames: readonly Frame[];
  readonly busyMs: number;
  /** From the first sample to the last. */
  readonly seconds: number;
}

export interface HotFunction {
  readonly name: string;
  readonly place: string;
  readonly selfMs: number;
}

export const OURS = "Nightshift";
export const NODE = "node:";
export const NATIVE = "native, GC";

/** A frame below this part of all is its parent's own time. */
const SMALLEST_SHARE = 0.002;

interface Branch {
  readonly callFrame: Pick<Profiler.ProfileNode["callFrame"], "functionName" | "url" | "lineNumber">;
  selfMs: number;
  totalMs: number;
  readonly children: Map<string, Branch>;
}

/** Time in which the process waited is left out. */
export function buildCallTree(profile: Profiler.Profile): CallTree {
  const root = readBranches(profile);
  const frames: Frame[] = [];
  const add = (branch: Branch, parent: number | null): void => {
    const { functionName, url, lineNumber } = branch.callFrame;
    const [large, small] = partition(
      [...branch.children.values()],
      (one) => one.totalMs >= root.totalMs * SMALLEST_SHARE,
    );
    const id = frames.length;
    frames.push({
      ...{ id, parent, name: nameOf(functionName), place: placeOf(url, lineNumber), origin: originOf(url) },
      ...{ selfMs: branch.selfMs + sum(small.map((one) => one.totalMs)), totalMs: branch.totalMs },
    });
    for (const child of large) add(child, id);
  };
  add(root, null);
  return { frames, busyMs: root.totalMs, seconds: (profile.endTime - profile.startTime) / 1e6 };
}

/** Those that ran longest themselves, wherever they were called from. */
export function hottest(profile: Profiler.Profile, count: number): HotFunction[] {
  const byFunction = new Map<string, HotFunction>();
  const visit = ({ callFrame, selfMs, children }: Branch): void => {
    const key = keyOf(callFrame);
    const before = byFunction.get(key)?.selfMs ?? 0;
    const { functionName, url, lineNumber } = callFrame;
    byFunction.set(key, { name: nameOf(functionName), place: placeOf(url, lineNumber), selfMs: before + selfMs });
    children.forEach(visit);
  };
  readBranches(profile).children.forEach(visit);
  return [...byFunction.values()].sort((a, b) => b.selfMs - a.selfMs).slice(0, count);
}

function readBranches(profile: Profiler.Profile): Branch {
  const self = selfTimes(profile);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const merge = (node: Profiler.ProfileNode, into: Branch): void => {
    const ownMs = self.get(node.id) ?? 0;
    into.selfMs += ownMs;
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child === undefined || child.callFrame.functionName === "(idle)") continue;
      const key = keyOf(child.callFrame);
      const branch = into.children.get(key) ?? { ...newBranch(child.callFrame) };
      into.children.set(key, branch);
      merge(child, branch);
    }
    into.totalMs = into.selfMs + sum([...into.children.values()].map((one) => one.totalMs));
  };
  const [first] = profile.nodes;
  if (first === undefined) throw new Error("a profile has at least its root");
  const root = newBranch(first.callFrame);
  merge(first, root);
  return root;
}

function newBranch(callFrame: Branch["callFrame"]): Branch {
  return { callFrame, selfMs: 0, totalMs: 0, children: new Map() };
}

/** A sample stands for the time up to the next one. */
function selfTimes({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, number> {
  const times = new Map<number, number>();
  samples.forEach((id, index) => {
    times.set(id, (times.get(id) ?? 0) + (timeDeltas[index + 1] ?? 0) / 1_000);
  });
  return times;
}

const keyOf = ({ functionName, url, lineNumber }: Branch["callFrame"]): string =>
  `${functionName}\n${url}\n${String(lineNumber)}`;

const nameOf = (functionName: string): string => (functionName === "" ? "(anonymous)" : functionName);

/** The path from the workspace or the package on. */
function placeOf(url: string, lineNumber: number): string {
  if (url === "") return "";
  const short = url.replace(/^.*\/node_modules\//, "").replace(/^file:\/\/.*\/(?:apps|packages)\//, "");
  return `${short}:${String(lineNumber + 1)}`;
}

function originOf(url: string): string {
  if (url.startsWith("node:")) return NODE;
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (inPackage?.[1] !== undefined) return inPackage[1];
  return /\/(?:apps|packages)\//.test(url) ? OURS : NATIVE;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
