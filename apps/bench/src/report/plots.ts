/** Draws plots as SVG with Vega-Lite, without a browser. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Plot } from "../benchmark.ts";

const WIDTH = 640;
const HEIGHT = 280;
/** All plots have fixed margins, because Vega cannot measure text without a canvas and would guess too much space. */
const MARGIN = { left: 80, right: 20, top: 46, bottom: 48 };
const LEGEND_ROW = 20;
/** The palette of Okabe and Ito, which people with any kind of colour blindness can distinguish. */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"];
/** More points would not be visible at this width, and would make the file large. */
const MAX_POINTS = 400;

const LOOK: NonNullable<TopLevelSpec["config"]> = {
  font: "Helvetica, Arial, sans-serif",
  view: { stroke: null },
  title: { anchor: "start", frame: "group", fontSize: 15, fontWeight: 600, color: "#222", offset: 14 },
  axis: {
    ...{ labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, titlePadding: 8, labelColor: "#444" },
    ...{ titleColor: "#444", gridColor: "#e8e8e8", domainColor: "#999", tickColor: "#999" },
  },
  axisX: { grid: false },
  axisY: { titleX: 22 - MARGIN.left },
  legend: {
    ...{ orient: "top", direction: "horizontal", title: null, labelFontSize: 12, labelColor: "#444", offset: 6 },
    ...{ symbolStrokeWidth: 3, symbolSize: 120, labelLimit: 300, columnPadding: 16 },
  },
};

const AXIS_OF_NUMBERS = { tickCount: 10, labelFlush: false } as const;

/** Resolves with the text of an SVG file. */
export async function renderPlot(plot: Plot): Promise<string> {
  const view = new View(parse(compile(plotSpec(plot)).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

function plotSpec({ title, x, y, kind, series }: Plot): TopLevelSpec {
  const values = series.flatMap(({ name, points }) => thin(points).map(([px, py]) => ({ x: px, y: py, series: name })));
  const names = series.map(({ name }) => name);
  const columns = names.length > 3 ? 2 : names.length;
  const legend = names.length > 1 ? { columns } : null;
  const top = MARGIN.top + (legend === null ? 0 : Math.ceil(names.length / columns) * LEGEND_ROW);
  const colour = { field: "series", type: "nominal", sort: names, scale: { range: COLOURS }, legend } as const;
  const value = { field: "y", type: "quantitative", title: y, scale: { zero: true }, axis: { tickCount: 6 } } as const;
  const common = {
    ...{ title, background: "white", config: LOOK, data: { values }, padding: { ...MARGIN, top } },
    ...{ width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - top - MARGIN.bottom },
    autosize: "none",
  } as const;
  if (kind === "line") {
    return {
      ...common,
      mark: { type: "line", strokeWidth: 2, clip: true, interpolate: "linear" },
      encoding: {
        x: { field: "x", type: "quantitative", title: x, scale: { zero: true, nice: false }, axis: AXIS_OF_NUMBERS },
        y: value,
        color: colour,
      },
    };
  }
  return {
    ...common,
    mark: { type: "bar" },
    encoding: {
      x: {
        field: "x",
        type: "ordinal",
        title: x,
        axis: { labelAngle: 0 },
        scale: { paddingInner: 0.3, paddingOuter: 0.3 },
      },
      xOffset: { field: "series", sort: names },
      y: value,
      color: colour,
    },
  };
}

/** Keeps every n-th point and always the last one. */
function thin<Point>(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / MAX_POINTS);
  return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}

/** Writes the SVG text of each plot to a file with the plot's name. */
export async function writePlots(folder: string, plots: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, svg] of plots) await writeFile(path.join(folder, `${name}.svg`), svg);
}
