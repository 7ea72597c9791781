/** Where a measurement was made: figures of another machine or another commit are other figures. */
import { execFile } from "node:child_process";
import os from "node:os";
import { promisify } from "node:util";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly kernel: string;
  readonly node: string;
}

const GIB = 1024 ** 3;

export function describeMachine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memory: `${(os.totalmem() / GIB).toFixed(1)} GB`,
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
  };
}

/** The commit that is checked out in `folder`, with `-dirty` where files differ from it; `unknown` outside a clone. */
export async function readCommit(folder: string): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"];
  try {
    return (await promisify(execFile)("git", args, { cwd: folder })).stdout.trim();
  } catch {
    return "unknown";
  }
}
