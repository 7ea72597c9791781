/** Plots are drawn: the marks that they have to have, and a legend only where there is something to tell apart. */
import { expect, test } from "@jest/globals";
import type { Plot } from "../benchmark.ts";
import { renderPlot } from "./plots.ts";

const points: [number, number][] = [
  [1, 10],
  [2, 20],
];
const one: Plot = { name: "p", title: "A title", kind: "bar", x: "run", y: "ms", series: [{ name: "first", points }] };

test("a plot has its title, its axes, a bar for each point, and no legend for one series", async () => {
  const svg = await renderPlot(one);

  expect(svg).toMatch(/^<svg [^>]*width="640" height="280"/);
  for (const text of ["A title", "run", "ms"]) expect(svg).toContain(`>${text}</text>`);
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(2);
  expect(svg).not.toContain(">first</text>");
});

test("two series have a legend", async () => {
  const svg = await renderPlot({ ...one, kind: "line", series: [...one.series, { name: "second", points }] });

  expect(svg).toContain(">first</text>");
  expect(svg).toContain(">second</text>");
  expect(svg.match(/aria-roledescription="line mark"/g)).toHaveLength(2);
});
