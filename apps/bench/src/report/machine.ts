/** The machine and the commit of a measurement. Figures of different machines or commits cannot be compared. */
import { execFile } from "node:child_process";
import os from "node:os";
import { promisify } from "node:util";

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly kernel: string;
  readonly node: string;
}

const GIB = 1024 ** 3;

export function readMachine(): MachineFacts {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memory: `${(os.totalmem() / GIB).toFixed(1)} GB`,
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
  };
}

/**
 * Returns the commit checked out in `folder`, with `-dirty` if files differ from it. Outside of a clone, returns
 * `unknown`.
 */
export async function readCommit(folder: string): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"];
  try {
    return (await promisify(execFile)("git", args, { cwd: folder })).stdout.trim();
  } catch {
    return "unknown";
  }
}
