/** The memory of a stack's worker over time, for a curve; the most it held is the kernel's own figure (stack.memoryPeaks). */
import { readFile } from "node:fs/promises";
import type { Stack } from "@nightshift/testing/stack";
import { toMegabytes } from "../rows.ts";

export interface MemoryCurve {
  /** Seconds since the beginning, and MB of the largest worker. */
  points(): readonly (readonly [number, number])[];
  stop(): void;
}

const EVERY_MS = 500;

export function watchResidentMemory(stack: Stack): MemoryCurve {
  const begun = performance.now();
  const points: [number, number][] = [];
  const look = async (): Promise<void> => {
    const workers = (await stack.processes()).filter(({ role }) => role === "worker");
    const sizes = await Promise.all(workers.map(({ pid }) => residentBytes(pid)));
    points.push([(performance.now() - begun) / 1_000, toMegabytes(Math.max(0, ...sizes))]);
  };
  const timer = setInterval(() => void look(), EVERY_MS);
  return {
    points: () => points,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** VmRSS of proc(5); 0 for a process that is gone. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
