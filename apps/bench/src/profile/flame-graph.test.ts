/** A flame graph is drawn: a rectangle for each frame, with what it says to the mouse. */
import { expect, test } from "@jest/globals";
import { OURS, type CallTree } from "./call-tree.ts";
import { renderFlameGraph } from "./flame-graph.ts";

const place = "worker/dist/slice.js:10";
const tree: CallTree = {
  busyMs: 400,
  seconds: 2,
  frames: [
    { id: 0, parent: null, name: "(root)", place: "", origin: "native, GC", selfMs: 0, totalMs: 400 },
    { id: 1, parent: 0, name: "run<Slice>", place, origin: OURS, selfMs: 300, totalMs: 300 },
    { id: 2, parent: 0, name: "(anonymous)", place: "pg/lib/client.js:1", origin: "pg", selfMs: 100, totalMs: 100 },
  ],
};

test("frames are labelled and tell their time, the root with the process", async () => {
  const svg = await renderFlameGraph("worker-1", tree);

  expect(svg).toContain(">worker-1: busy 400 ms in 2.0 s</text>");
  expect(svg).toContain(`<title>run&lt;Slice&gt; (${place}): 300 ms, 300 ms of it itself</title>`);
  expect(svg).toContain("<title>(anonymous) pg/lib/client.js:1: 100 ms, 100 ms of it itself</title>");
  expect(svg.match(/<title>/g)).toHaveLength(tree.frames.length);
});
