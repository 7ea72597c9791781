/** Samples the memory of a stack's worker for a curve. The exact peak comes from the kernel (stack.memoryPeaks). */
import { readFile } from "node:fs/promises";
import type { Stack } from "@nightshift/testing/stack";
import { toMegabytes } from "../report/numbers.ts";

export interface MemoryCurve {
  /** Returns pairs of the seconds since the start and the memory of the largest worker at that time, in MB. */
  points(): readonly (readonly [number, number])[];
  stop(): void;
}

const SAMPLE_MS = 500;

export function watchResidentMemory(stack: Stack): MemoryCurve {
  const begun = performance.now();
  const points: [number, number][] = [];
  const sample = async (): Promise<void> => {
    const workers = (await stack.processes()).filter(({ role }) => role === "worker");
    const sizes = await Promise.all(workers.map(({ pid }) => residentBytes(pid)));
    points.push([(performance.now() - begun) / 1_000, toMegabytes(Math.max(0, ...sizes))]);
  };
  const timer = setInterval(() => void sample(), SAMPLE_MS);
  return {
    points: () => points,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Reads VmRSS (proc(5)). It is 0 for a process that has ended. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
