/** Lines in this worker's hands that wait for a slot, those of small batches before all bulk. */
import type { LineTask } from "./line-task.ts";

export interface UnsentLine {
  readonly task: LineTask;
  /** Called once the line is recorded, back in the ledger, or dropped. */
  readonly settle: () => void;
}

export interface UnsentLines {
  count(): number;
  bytes(): number;
  add(line: UnsentLine): void;
  next(): UnsentLine | undefined;
  /** Takes out those that `which` picks. */
  take(which: (task: LineTask) => boolean): UnsentLine[];
}

export function createUnsentLines(): UnsentLines {
  let lines: UnsentLine[] = [];
  let bytes = 0;
  return {
    count: () => lines.length,
    bytes: () => bytes,
    add(line) {
      bytes += line.task.byteLength;
      if (line.task.slice.isBulk) {
        lines.push(line);
        return;
      }
      const firstBulk = lines.findIndex(({ task }) => task.slice.isBulk);
      lines.splice(firstBulk < 0 ? lines.length : firstBulk, 0, line);
    },
    next() {
      const line = lines.shift();
      if (line !== undefined) bytes -= line.task.byteLength;
      return line;
    },
    take(which) {
      const taken = lines.filter(({ task }) => which(task));
      if (taken.length === 0) return taken;
      lines = lines.filter(({ task }) => !which(task));
      for (const { task } of taken) bytes -= task.byteLength;
      return taken;
    },
  };
}
