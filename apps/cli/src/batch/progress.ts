/** Shows the progress of a batch: as a bar on a terminal, otherwise as lines. */
import { isFinal } from "@nightshift/domain";
import { SingleBar } from "cli-progress";
import type { Screen } from "../screen.ts";
import type { Batch } from "./follow-batch.ts";

/** Without a terminal, counts are shown this often, and changes of status at once. */
const LINE_EVERY_MS = 5_000;

export interface Progress {
  readonly show: (batch: Batch) => void;
  /** Removes the bar before other output. */
  readonly end: () => void;
}

export function createProgress(screen: Screen): Progress {
  return screen.isTerminal ? createBar(screen) : createLines(screen);
}

function createBar(screen: Screen): Progress {
  const bar = new SingleBar({
    format: `  {status}  ${screen.paint("cyan", "{bar}")}  {counts}{notes}`,
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 32,
    hideCursor: true,
    clearOnComplete: true,
    stream: screen.stream,
    // The lifecycle handles Ctrl-C.
    gracefulExit: false,
  });
  let started: number | null = null;
  return {
    show: (batch) => {
      const { total, done, failed } = countsOf(batch);
      const counts = total === 0 ? "" : `${String(done)}/${String(total)}`;
      const payload = { status: batch.status.padEnd(11), counts, notes: "" };
      // The bar needs a total, which is unknown until the file is validated.
      if (started === null) bar.start(Math.max(total, 1), done, payload);
      started ??= performance.now();
      const rate = done / ((performance.now() - started) / 1000);
      const notes = [
        ...(failed > 0 ? [screen.paint("red", `${String(failed)} failed`)] : []),
        ...(done > 0 && done < total ? [`${rate.toFixed(rate < 10 ? 1 : 0)} lines/s`] : []),
      ];
      bar.setTotal(Math.max(total, 1));
      bar.update(done, { ...payload, notes: notes.map((note) => `  ${note}`).join("") });
    },
    end: () => {
      bar.stop();
    },
  };
}

function createLines(screen: Screen): Progress {
  let lastStatus = "";
  let shownAt = -Infinity;
  return {
    show: (batch) => {
      // `showOutcome` shows the end.
      if (isFinal(batch.status)) return;
      const isNew = batch.status !== lastStatus;
      if (!isNew && performance.now() - shownAt < LINE_EVERY_MS) return;
      lastStatus = batch.status;
      shownAt = performance.now();
      const { total, done, failed } = countsOf(batch);
      const counts = `  ${String(done)}/${String(total)} lines, ${String(failed)} failed`;
      screen.line(`  ${total === 0 ? batch.status : batch.status.padEnd(11) + counts}`);
    },
    end: () => undefined,
  };
}

function countsOf({ request_counts: counts }: Batch): { total: number; done: number; failed: number } {
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  return { total, done: completed + failed, failed };
}
