/**
 * Detects memory leaks: records the memory of a stack's processes during a long run, and compares the last third of the
 * run with the middle third.
 */
import { openSettler } from "./settled-memory.ts";
import type { Stack } from "./stack.ts";

/** Each measurement forces a full garbage collection, so a shorter interval would slow the process down. */
const EVERY_MS = 5_000;

/** The number of windows in each third. */
const WINDOWS = 5;

/**
 * Growth below these sizes does not count. Live memory is measured to within a few kilobytes. Resident memory includes
 * free memory that V8 and malloc keep. In full runs with constant live memory, it grew by 3 to 5 MB in each third, and
 * by less each time. A leak of 1 KB per request, inside or outside of the heap, adds about 7 MB per third in a run of
 * 20,000 requests.
 */
const GRAIN_BYTES = { live: 1_000_000, resident: 6_000_000 } as const;

type Kind = "resident" | "live";

interface Sample {
  readonly at: number;
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: number;
}

/** The memory of one process over the run. */
export interface MemoryThirds {
  /** The role, the pid and the measurement: resident memory, or live memory of the main thread's heap and buffers. */
  readonly name: string;
  readonly thirds: readonly [number, number, number];
  /** The amount by which the last third may exceed the middle third by chance. */
  readonly noise: number;
}

export interface MemoryRecord {
  /** Ends the recording. Call it before the stack stops. Leaves out a process whose run was too short. */
  readonly end: () => Promise<readonly MemoryThirds[]>;
}

/**
 * Measures the current APIs and workers every 5 s, each time after a garbage collection. The stack must have been started
 * with INSPECTABLE. A process that replaces one of them is not measured.
 */
export async function recordMemory(stack: Pick<Stack, "processes">): Promise<MemoryRecord> {
  const processes = (await stack.processes()).filter(({ role }) => role === "api" || role === "worker");
  const watched = await Promise.all(
    processes.map(async ({ role, pid }) => ({ name: `${role} ${String(pid)}`, settler: await openSettler(pid) })),
  );
  const samples: Sample[] = [];
  const look = async (): Promise<void> => {
    const at = performance.now();
    for (const { name, settler } of watched) {
      const { resident, live } = await settler.settle();
      samples.push({ at, name, kind: "resident", bytes: resident }, { at, name, kind: "live", bytes: live });
    }
  };
  let looking: Promise<void> = Promise.resolve();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    // A failed measurement is ignored. If the process has ended, the test reports it, because the test compares the
    // running processes with those at its start.
    looking = look()
      .catch(() => undefined)
      .finally(() => {
        isLooking = false;
      });
  }, EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await looking;
      for (const { settler } of watched) settler.close();
      const series = new Map<string, Sample[]>();
      for (const sample of samples) {
        const key = `${sample.name} ${sample.kind}`;
        const known = series.get(key) ?? [];
        known.push(sample);
        series.set(key, known);
      }
      return [...series].flatMap(([name, all]) => thirdsOf(name, all, all[0]?.kind ?? "live"));
    },
  };
}

/**
 * Takes the lowest measurement in each of the five windows of a third. This excludes memory that requests in flight
 * hold for a moment. The value of a third is the mean of its minima. The noise is three standard errors of the
 * difference between two thirds. To estimate it, a straight line is fitted to the minima of each third, and only the
 * distances from that line count. So steady growth does not count as noise.
 */
export function thirdsOf(
  name: string,
  samples: readonly { readonly at: number; readonly bytes: number }[],
  kind: Kind,
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
  const noise = Math.max(GRAIN_BYTES[kind], 3 * Math.sqrt((2 * variance) / WINDOWS));
  return [{ name, thirds: [mean(early), mean(middle), mean(late)], noise }];
}

/** Returns true if the last third exceeds the middle third by more than the noise. */
export function hasGrown({ thirds: [, middle, last], noise }: MemoryThirds): boolean {
  return last > middle + noise;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns the sum of squared distances from the best-fitting straight line. */
function scatter(values: readonly number[]): number {
  const [centre, middle] = [(values.length - 1) / 2, mean(values)];
  const slope =
    values.reduce((sum, value, at) => sum + (at - centre) * (value - middle), 0) /
    values.reduce((sum, _value, at) => sum + (at - centre) ** 2, 0);
  return values.reduce((sum, value, at) => sum + (value - middle - slope * (at - centre)) ** 2, 0);
}
