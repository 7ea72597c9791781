/** Lines that this worker has claimed and not sent yet. Lines of small batches come before all bulk lines. */
import type { Cost } from "./cost.ts";
import type { LineTask } from "./line-task.ts";

export interface UnsentLine {
  readonly task: LineTask;
  /** Called once the line is recorded, back in the ledger, or dropped. */
  readonly settle: () => void;
}

export interface UnsentLines {
  count(): number;
  bytes(): number;
  /** Returns the cost of sending all lines, as of this call. */
  cost(): Cost;
  add(line: UnsentLine): void;
  /** Returns the line to send next, which stays in the queue. */
  first(): UnsentLine | undefined;
  removeFirst(): void;
  /** Removes and returns the lines that `matches` picks. */
  remove(matches: (task: LineTask) => boolean): UnsentLine[];
}

export function createUnsentLines(): UnsentLines {
  let lines: UnsentLine[] = [];
  let bytes = 0;
  let requests = 0;
  let slots = 0;

  const subtract = ({ byteLength, cost }: LineTask): void => {
    bytes -= byteLength;
    requests -= cost.requests;
    slots -= cost.slots;
  };

  return {
    count: () => lines.length,
    bytes: () => bytes,
    cost: () => ({ requests, slots }),
    add(line) {
      const { byteLength, cost, slice } = line.task;
      bytes += byteLength;
      requests += cost.requests;
      slots += cost.slots;
      if (slice.isBulk) {
        lines.push(line);
        return;
      }
      const firstBulk = lines.findIndex(({ task }) => task.slice.isBulk);
      lines.splice(firstBulk < 0 ? lines.length : firstBulk, 0, line);
    },
    first: () => lines[0],
    removeFirst() {
      const line = lines.shift();
      if (line !== undefined) subtract(line.task);
    },
    remove(matches) {
      const removed = lines.filter(({ task }) => matches(task));
      if (removed.length === 0) return removed;
      lines = lines.filter(({ task }) => !matches(task));
      for (const { task } of removed) subtract(task);
      return removed;
    },
  };
}
