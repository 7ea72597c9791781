/** Writes messages to the terminal, in colour only if the terminal supports it. */
import { styleText } from "node:util";
import type { WriteStream } from "node:tty";
import type { LogDestination } from "@nightshift/service";
import type { ShowWarning } from "./machine/program-log.ts";

type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const CLEAR_LINE = "\r\u001b[K";

/** Writes text for users. Results for programs go directly to standard output. */
export interface Screen {
  /** True if a line can be overwritten. */
  readonly isTerminal: boolean;
  readonly stream: NodeJS.WritableStream;
  line(text?: string): void;
  paint(colour: Colour, text: string): string;
}

/** Makes a screen on standard output or standard error. Node applies NO_COLOR and FORCE_COLOR. */
export function createScreen(stream: NodeJS.WriteStream): Screen {
  const { isTTY: isTerminal = false } = stream as Partial<WriteStream>;
  const hasColours = isTerminal && stream.hasColors();
  return {
    isTerminal,
    stream,
    line: (text = "") => {
      // Clears a progress bar that may be on this line. The bar draws itself again on the next line.
      stream.write(`${isTerminal ? CLEAR_LINE : ""}${text}\n`);
    },
    paint: (colour, text) => (hasColours ? styleText(colour, text) : text),
  };
}

/** Shows each warning as a line with time, program, level and message. */
export function warnOn(screen: Screen): ShowWarning {
  return (program, level, message) => {
    const time = new Date().toLocaleTimeString("en-GB");
    const [first = "", ...rest] = message.split("\n");
    const head = `${time}  ${program.padEnd(10)} ${level.padEnd(5)}`;
    screen.line(`${screen.paint(level === "warn" ? "yellow" : "red", head)}  ${first}`);
    for (const line of rest) screen.line(`    ${line}`);
  };
}

/** Sends the log of this process to `show`, because it does not have a log file. */
export function logTo(show: ShowWarning): LogDestination {
  return {
    write: (line) => {
      const { level, msg, err } = JSON.parse(line) as {
        level: "warn" | "error" | "fatal";
        msg: string;
        err?: { stack: string };
      };
      show("nightshift", level, err === undefined ? msg : `${msg}: ${err.stack}`);
    },
  };
}
