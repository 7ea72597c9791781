/** What people at a terminal see: lines of text, with colour only where there is a terminal that wants it. */
import { styleText } from "node:util";
import type { WriteStream } from "node:tty";

type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const CLEAR_LINE = "\r\u001b[K";

/** Writes text for people. Results for programs go to standard output without it. */
export interface Screen {
  /** True where lines can be drawn over. */
  readonly isTerminal: boolean;
  readonly stream: NodeJS.WritableStream;
  line(text?: string): void;
  paint(colour: Colour, text: string): string;
}

/** A screen on standard output or standard error. NO_COLOR and FORCE_COLOR are honoured as Node does. */
export function createScreen(stream: NodeJS.WriteStream): Screen {
  const { isTTY: isTerminal = false } = stream as Partial<WriteStream>;
  const hasColours = isTerminal && stream.hasColors();
  return {
    isTerminal,
    stream,
    line: (text = "") => {
      // A progress bar may stand on this line; it draws itself again on the next.
      stream.write(`${isTerminal ? CLEAR_LINE : ""}${text}\n`);
    },
    paint: (colour, text) => (hasColours ? styleText(colour, text) : text),
  };
}
