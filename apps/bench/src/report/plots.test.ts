import { expect, test } from "@jest/globals";
import type { Plot } from "../benchmark.ts";
import { renderPlot } from "./plots.ts";

const points: [number, number][] = [
  [1, 10],
  [2, 20],
];
const one: Plot = { name: "p", title: "A title", kind: "bar", x: "run", y: "ms", series: [{ name: "first", points }] };

test("draws the title, the axes and a bar for each point, without a legend for one series", async () => {
  const svg = await renderPlot(one);

  expect(svg).toMatch(/^<svg [^>]*width="640" height="280"/);
  for (const text of ["A title", "run", "ms"]) expect(svg).toContain(`>${text}</text>`);
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(2);
  expect(svg).not.toContain(">first</text>");
});

test("draws a legend for two series", async () => {
  const svg = await renderPlot({ ...one, kind: "line", series: [...one.series, { name: "second", points }] });

  expect(svg).toContain(">first</text>");
  expect(svg).toContain(">second</text>");
  expect(svg.match(/aria-roledescription="line mark"/g)).toHaveLength(2);
});
