/**
 * Detects memory leaks: records the memory of a stack's processes during a long run, and compares the last third of the
 * run with the middle third.
 */
import { openSettler } from "./settled-memory.ts";
import type { Stack } from "./stack.ts";

/** Each look collects all garbage. */
const EVERY_MS = 5_000;

/** Each third is cut into so many windows. */
const WINDOWS = 5;

/**
 * Below, nothing is told apart. What is alive is known to some kilobytes. Resident memory has what V8 and malloc keep of what is free:
 * it crept by 3 to 5 MB a third in full runs in which what was alive stayed the same, and ever less. A leak of 1 KB a request, within
 * the heap or outside of it, makes 7 MB in a third of 20,000.
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
  /** Role, pid and what was measured: all that is resident, or what is alive of the main thread's heap and buffers. */
  readonly name: string;
  readonly thirds: readonly [number, number, number];
  /** How much the last third may lie above the middle one by chance. */
  readonly noise: number;
}

export interface MemoryRecord {
  /** Ends the watch, which must be done before the stack is stopped. Nothing of a process where the run was too short to tell. */
  readonly end: () => Promise<readonly MemoryThirds[]>;
}

/**
 * Looks every 5 s at the APIs and workers that there are now, each time with all their garbage collected. The stack was started with
 * INSPECTABLE. A process that takes the place of one of them is not seen.
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
    // A process that is gone is for the test to notice, which knows those of the beginning.
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
 * Of each window the least counts: what a request in flight holds at the moment of a look is no growth. A third is
 * the mean of its windows. The noise is measured on the run itself: three standard errors of the difference of two thirds, from how
 * the windows scatter about a straight line through their own third, so that a steady growth is no noise.
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
