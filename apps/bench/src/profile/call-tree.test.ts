/** Samples become frames: times add up, waiting is left out, what is too small is its parent's. */
import type { Profiler } from "node:inspector";
import { expect, test } from "@jest/globals";
import { buildCallTree, hottest, NATIVE, NODE, OURS } from "./call-tree.ts";

const MS = 1_000;

interface Call {
  readonly name: string;
  readonly url?: string;
  /** How long it was on top of the stack. */
  readonly selfMs?: number;
  readonly calls?: readonly Call[];
}

/** A profile with one sample for each call. */
function profileOf(root: Call): Profiler.Profile {
  const nodes: Profiler.ProfileNode[] = [];
  const samples: number[] = [];
  const timeDeltas: number[] = [0];
  const add = ({ name, url = "", selfMs = 0, calls = [] }: Call): number => {
    const id = nodes.length + 1;
    const callFrame = { functionName: name, scriptId: "0", url, lineNumber: 9, columnNumber: 0 };
    const node: Profiler.ProfileNode = { id, callFrame };
    nodes.push(node);
    samples.push(id);
    timeDeltas.push(selfMs * MS);
    node.children = calls.map(add);
    return id;
  };
  add(root);
  const endTime = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  return { nodes, startTime: 0, endTime, samples, timeDeltas };
}

const profile = profileOf({
  name: "(root)",
  calls: [
    { name: "(idle)", selfMs: 5_000 },
    { name: "(garbage collector)", selfMs: 20 },
    {
      name: "runSlice",
      url: "file:///here/apps/worker/dist/slice.js",
      selfMs: 100,
      calls: [
        { name: "send", url: "file:///here/node_modules/undici/lib/pool.js", selfMs: 300 },
        { name: "", url: "file:///here/node_modules/@smithy/core/dist/x.js", selfMs: 1 },
      ],
    },
    {
      name: "runSlice",
      url: "file:///here/apps/worker/dist/slice.js",
      selfMs: 79,
      calls: [{ name: "send", url: "file:///here/node_modules/undici/lib/pool.js", selfMs: 300 }],
    },
    {
      name: "processTicks",
      url: "node:internal/process/task_queues",
      selfMs: 100,
      calls: [{ name: "send", url: "file:///here/node_modules/undici/lib/pool.js", selfMs: 100 }],
    },
  ],
});

test("the root is busy for as long as its frames are, without idle time", () => {
  const tree = buildCallTree(profile);

  expect(tree.busyMs).toBe(1_000);
  expect(tree.seconds).toBe(6);
});

test("calls of one function from one place are one frame, with the origin of its code", () => {
  const { frames } = buildCallTree(profile);

  expect(
    frames.map(({ id, parent, name, place, origin, totalMs }) => [id, parent, name, place, origin, totalMs]),
  ).toEqual([
    [0, null, "(root)", "", NATIVE, 1_000],
    [1, 0, "(garbage collector)", "", NATIVE, 20],
    [2, 0, "runSlice", "worker/dist/slice.js:10", OURS, 780],
    [3, 2, "send", "undici/lib/pool.js:10", "undici", 600],
    [4, 0, "processTicks", "node:internal/process/task_queues:10", NODE, 200],
    [5, 4, "send", "undici/lib/pool.js:10", "undici", 100],
  ]);
});

test("a frame that is too narrow to be seen counts as its parent's own time", () => {
  const { frames } = buildCallTree(profile);

  expect(frames[2]?.selfMs).toBe(100 + 79 + 1);
  expect(frames.reduce((sum, { selfMs }) => sum + selfMs, 0)).toBe(1_000);
});

test("the hottest functions are counted over all their callers", () => {
  expect(hottest(profile, 2)).toEqual([
    { name: "send", place: "undici/lib/pool.js:10", selfMs: 700 },
    { name: "runSlice", place: "worker/dist/slice.js:10", selfMs: 179 },
  ]);
});
