/** Whether the memory of a stack's processes stays flat while something is done to it many times: its last third against the one before. */
import { listeningPorts, rssBytes } from "../processes.ts";
import type { Stack } from "./stack.ts";

const EVERY_MS = 1_000;

/** Each third is cut into so many windows, long enough for several collections of all garbage in a run of some minutes. */
const WINDOWS = 5;

/** Below, nothing is told apart: V8 and malloc take memory from the system in pieces of up to a megabyte. */
const GRAIN_BYTES = 1_000_000;

type Kind = "resident" | "live";

interface Sample {
  readonly at: number;
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: number;
}

/** The memory of one process over the run. */
export interface MemoryThirds {
  /** Role, pid and what was measured: all that is resident, or what V8 calls used, buffers included. */
  readonly name: string;
  readonly thirds: readonly [number, number, number];
  /** How much the last third may lie above the middle one by chance. */
  readonly noise: number;
}

export interface MemoryRecord {
  /** Ends the watch. Nothing where a process lived too short, as where a run takes some seconds. */
  readonly end: () => Promise<readonly MemoryThirds[]>;
}

/**
 * Looks once a second at the APIs and workers that there are now: what is resident, from the kernel, and V8's heap and buffers, from
 * /metrics. A process that takes the place of one of them is not seen.
 */
export async function recordMemory(stack: Pick<Stack, "processes">): Promise<MemoryRecord> {
  const processes = (await stack.processes()).filter(({ role }) => role === "api" || role === "worker");
  const watched = await Promise.all(
    processes.map(async ({ role, pid }) => ({ name: `${role} ${String(pid)}`, pid, ports: await listeningPorts(pid) })),
  );
  const samples: Sample[] = [];
  const look = async (): Promise<void> => {
    const at = performance.now();
    for (const { name, pid, ports } of watched) {
      const resident = await rssBytes(pid);
      if (resident !== null) samples.push({ at, name, kind: "resident", bytes: resident });
      const live = await usedBytes(ports[0]);
      if (live !== null) samples.push({ at, name, kind: "live", bytes: live });
    }
  };
  let looking: Promise<void> = Promise.resolve();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    looking = look().finally(() => {
      isLooking = false;
    });
  }, EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await looking;
      const series = new Map<string, Sample[]>();
      for (const sample of samples) {
        const key = `${sample.name} ${sample.kind}`;
        const known = series.get(key) ?? [];
        known.push(sample);
        series.set(key, known);
      }
      return [...series].flatMap(([name, all]) => thirdsOf(name, all));
    },
  };
}

/** V8's heap and the buffers outside of it, dead things among both; null where the process does not say. */
async function usedBytes(port: number | undefined): Promise<number | null> {
  if (port === undefined) return null;
  try {
    const reply = await fetch(`http://127.0.0.1:${String(port)}/metrics`, { signal: AbortSignal.timeout(5_000) });
    const text = await reply.text();
    const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    return read("nodejs_heap_size_used_bytes") + read("nodejs_external_memory_bytes");
  } catch {
    return null; // busy or ended: one sample less
  }
}

/**
 * Of each window the least counts: memory swings between collections, and what is left after one is what is alive. A third is
 * the mean of its windows. The noise is measured on the run itself: three standard errors of the difference of two thirds, from how
 * the windows scatter about a straight line through their own third, so that a steady growth is no noise.
 */
export function thirdsOf(
  name: string,
  samples: readonly { readonly at: number; readonly bytes: number }[],
): MemoryThirds[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return [];
  const windowMs = (last.at - first.at) / (3 * WINDOWS);
  const floors = Array.from({ length: 3 * WINDOWS }, (_, index) => {
    const [from, to] = [first.at + index * windowMs, first.at + (index + 1) * windowMs];
    return Math.min(...samples.filter(({ at }) => at >= from && at <= to).map(({ bytes }) => bytes));
  });
  if (!floors.every(Number.isFinite)) return [];
  const [early, middle, late] = [0, 1, 2].map((third) => floors.slice(third * WINDOWS, (third + 1) * WINDOWS));
  if (early === undefined || middle === undefined || late === undefined) return [];
  const variance = (scatter(middle) + scatter(late)) / (2 * (WINDOWS - 2));
  const noise = Math.max(GRAIN_BYTES, 3 * Math.sqrt((2 * variance) / WINDOWS));
  return [{ name, thirds: [mean(early), mean(middle), mean(late)], noise }];
}

/** True where the last third lies above the middle one by more than the noise. */
export function hasGrown({ thirds: [, middle, last], noise }: MemoryThirds): boolean {
  return last > middle + noise;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sum of the squared distances from the straight line that fits best. */
function scatter(values: readonly number[]): number {
  const [centre, middle] = [(values.length - 1) / 2, mean(values)];
  const slope =
    values.reduce((sum, value, at) => sum + (at - centre) * (value - middle), 0) /
    values.reduce((sum, _value, at) => sum + (at - centre) ** 2, 0);
  return values.reduce((sum, value, at) => sum + (value - middle - slope * (at - centre)) ** 2, 0);
}
