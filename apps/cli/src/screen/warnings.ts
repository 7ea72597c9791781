/** Shows on a screen what goes wrong behind it. */
import type { LogDestination } from "@nightshift/service";
import type { ShowWarning } from "../machine/program-log.ts";
import type { Screen } from "./screen.ts";

/** One line for each warning: time, program, level, message. */
export function warnOn(screen: Screen): ShowWarning {
  return (program, level, message) => {
    const time = new Date().toLocaleTimeString("en-GB");
    const [first = "", ...rest] = message.split("\n");
    const head = `${time}  ${program.padEnd(10)} ${level.padEnd(5)}`;
    screen.line(`${screen.paint(level === "warn" ? "yellow" : "red", head)}  ${first}`);
    for (const line of rest) screen.line(`    ${line}`);
  };
}

/** Takes the log of this process, which has no file of its own. */
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
