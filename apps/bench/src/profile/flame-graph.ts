/** A profile as a flame graph: one SVG, drawn by Vega, callers above what they call, as wide as the time they took. */
import { parse, View, type Spec } from "vega";
import { NATIVE, NODE, OURS, type CallTree, type Frame } from "./call-tree.ts";

const WIDTH = 1_584;
const MARGIN = { left: 8, right: 8, top: 36, bottom: 8 };
const ROW_HEIGHT = 18;
const FONT = "Helvetica, Arial, sans-serif";
/** Narrower frames have no room for a word. */
const LABEL_FROM = 30;
const CHARACTER_WIDTH = 6.2;

const OWN_COLOURS: Readonly<Record<string, string>> = { [OURS]: "#f0a04b", [NODE]: "#a9d5a0", [NATIVE]: "#cfcfcf" };
/** For the packages that take most, by their own time; all others share one. */
const PACKAGE_COLOURS = ["#9cc7e8", "#c9b3e0", "#f3b5cf", "#e6dc8c", "#8fd9d6", "#d3b29f", "#b5c7f5", "#e0a3a3"];
const OTHERS = "other packages";
const OTHERS_COLOUR = "#e3e0d8";

/** `title` names the process; the root says it with the time that it was busy. */
export async function renderFlameGraph(title: string, tree: CallTree): Promise<string> {
  const view = new View(parse(flameSpec(title, tree)), { renderer: "none" });
  try {
    return `${addTitles(await view.toSVG())}\n`;
  } finally {
    view.finalize();
  }
}

/** Vega writes what it has to say of a mark for screen readers; browsers show a title to the mouse. */
function addTitles(svg: string): string {
  return svg.replaceAll(
    /(<path aria-label="([^"]*)"[^>]*)\/>|(<path aria-label="([^"]*)"[^>]*)><\/path>/g,
    (...match) => {
      const [open, text] = [match[1] ?? match[3], match[2] ?? match[4]].map(String);
      return `${open ?? ""}><title>${text ?? ""}</title></path>`;
    },
  );
}

function flameSpec(title: string, tree: CallTree): Spec {
  const colours = chooseColours(tree.frames);
  const depths = depthsOf(tree.frames);
  const height = (Math.max(...depths) + 1) * ROW_HEIGHT;
  const values = tree.frames.map((frame) => {
    const label = frame.parent === null ? rootLabel(title, tree) : labelOf(frame);
    const colour = frame.parent === null ? "root" : colours.has(frame.origin) ? frame.origin : OTHERS;
    return { ...frame, label, colour, description: describe(label, frame) };
  });
  return {
    ...{ width: WIDTH, height, padding: MARGIN, background: "white", autosize: "none" },
    data: [
      {
        name: "frames",
        values,
        transform: [
          { type: "stratify", key: "id", parentKey: "parent" },
          {
            ...{ type: "partition", field: "selfMs", sort: { field: "totalMs", order: "descending" } },
            ...{ size: [WIDTH, height] },
          },
          { type: "formula", as: "room", expr: "datum.x1 - datum.x0" },
          // Vega cannot measure text without a canvas: letters are counted.
          { type: "formula", as: "letters", expr: `floor((datum.room - 6) / ${String(CHARACTER_WIDTH)})` },
        ],
      },
      {
        name: "labelled",
        source: "frames",
        transform: [{ type: "filter", expr: `datum.room >= ${String(LABEL_FROM)}` }],
      },
    ],
    scales: [
      {
        ...{ name: "colour", type: "ordinal" },
        ...{ domain: [...colours.keys(), "root"], range: [...colours.values(), "#ffffff"] },
      },
      { name: "legend", type: "ordinal", domain: [...colours.keys()], range: [...colours.values()] },
    ],
    legends: [
      {
        ...{ fill: "legend", orient: "top", direction: "horizontal", symbolType: "square", offset: 8 },
        ...{ labelFont: FONT, labelFontSize: 12 },
      },
    ],
    marks: [
      {
        type: "rect",
        from: { data: "frames" },
        encode: {
          enter: {
            ...{ x: { field: "x0" }, x2: { field: "x1" }, y: { field: "y0" }, y2: { field: "y1" } },
            ...{ fill: { scale: "colour", field: "colour" }, stroke: { value: "white" }, strokeWidth: { value: 0.5 } },
            description: { field: "description" },
          },
        },
      },
      {
        ...{ type: "text", aria: false },
        from: { data: "labelled" },
        encode: {
          enter: {
            ...{
              x: { field: "x0", offset: 3 },
              y: { signal: `(datum.y0 + datum.y1) / 2` },
              baseline: { value: "middle" },
            },
            ...{ font: { value: FONT }, fontSize: { value: 11 }, fill: { value: "#222" } },
            fontWeight: { signal: "datum.parent === null ? 'bold' : 'normal'" },
            text: {
              signal:
                "length(datum.label) <= datum.letters ? datum.label : substring(datum.label, 0, datum.letters - 1) + '…'",
            },
          },
        },
      },
    ],
  };
}

/** Legend and colours: ours, Node's, native, then packages by their own time. */
function chooseColours(frames: readonly Frame[]): Map<string, string> {
  const selfMs = new Map<string, number>();
  for (const { origin, selfMs: ms } of frames) selfMs.set(origin, (selfMs.get(origin) ?? 0) + ms);
  const packages = [...selfMs].filter(([origin]) => !(origin in OWN_COLOURS)).sort(([, a], [, b]) => b - a);
  const named = packages.slice(0, PACKAGE_COLOURS.length);
  return new Map([
    ...Object.entries(OWN_COLOURS),
    ...named.map(([name], index) => [name, PACKAGE_COLOURS[index] ?? OTHERS_COLOUR] as const),
    ...(packages.length > named.length ? [[OTHERS, OTHERS_COLOUR] as const] : []),
  ]);
}

function depthsOf(frames: readonly Frame[]): number[] {
  const depths: number[] = [];
  for (const { id, parent } of frames) depths[id] = parent === null ? 0 : (depths[parent] ?? 0) + 1;
  return depths;
}

const rootLabel = (title: string, { busyMs, seconds }: CallTree): string =>
  `${title}: busy ${showMs(busyMs)} in ${seconds.toFixed(1)} s`;

/** Functions without a name are told apart by where they are. */
const labelOf = ({ name, place }: Frame): string => (name === "(anonymous)" ? `${name} ${place}` : name);

function describe(label: string, { place, selfMs, totalMs }: Frame): string {
  const where = place === "" || label.endsWith(place) ? "" : ` (${place})`;
  return `${label}${where}: ${showMs(totalMs)}, ${showMs(selfMs)} of it itself`;
}

const showMs = (ms: number): string => `${ms.toLocaleString("en", { maximumFractionDigits: ms < 100 ? 1 : 0 })} ms`;
