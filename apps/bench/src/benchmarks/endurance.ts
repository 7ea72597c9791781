/** Row 12: a million lines. Measures whether throughput drops as the ledger grows. */
import type { Benchmark } from "../benchmark.ts";
import { quantile } from "../measure/quantile.ts";
import { rateBetween } from "../measure/rate.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { until, type Stack } from "@nightshift/testing/stack";
import { startBenchmarkStack } from "./stacks.ts";

const BATCHES = 20;
const POLL_MS = 1_000;

async function linesDone(stack: Stack): Promise<{ done: number; open: number }> {
  const rows = await stack.sql<{ done: number; open: number }>(
    `select coalesce(sum(p.completed + p.failed), 0)::int as done,
      (count(*) filter (where b.status in ('validating', 'in_progress', 'finalizing')))::int as open
    from batch_progress p join batches b on b.batch_no = p.batch_no`,
  );
  return rows[0] ?? { done: 0, open: 0 };
}

export const endurance: Benchmark = {
  name: "endurance",
  title: "a million lines in twenty batches on one machine (row 12)",
  async run(context) {
    const { testBed, isFull, say } = context;
    const input = await writeInput(testBed.folder, { lines: isFull ? 50_000 : 1_000 });
    const total = BATCHES * input.lines;
    const upstream = await testBed.startUpstream();
    const { client, stack } = await startBenchmarkStack(context, { profile: "one-machine", upstream });
    const fileId = await client.upload(input);
    for (let batch = 0; batch < BATCHES; batch += 1) await client.create(fileId, input.endpoint);
    const begun = performance.now();
    const progress: [number, number][] = [];
    await until(
      async () => {
        const { done, open } = await linesDone(stack);
        progress.push([(performance.now() - begun) / 1_000, done]);
        return open === 0;
      },
      { message: "all batches are completed", timeoutMs: 1_200_000, everyMs: isFull ? POLL_MS : 100 },
    );
    const peaks = await stack.memoryPeaks();
    await testBed.clear();
    const [start, end] = [rateBetween(progress, total, 0.05, 0.3), rateBetween(progress, total, 0.7, 0.95)];
    say(`${start.toFixed(0)} lines/s at the start, ${end.toFixed(0)} at the end`);
    const rates = progress.slice(1).map(([seconds, done], i): [number, number] => {
      const [before = 0, doneBefore = 0] = progress[i] ?? [];
      return [seconds, (done - doneBefore) / (seconds - before)];
    });
    const peak = (role: string): number =>
      quantile(
        peaks.filter((one) => one.role === role).map(({ bytes }) => bytes / 2 ** 20),
        1,
      );
    return {
      figures: [
        {
          row: 12,
          name: "lines/s at the end against the start, 1,000,000 lines",
          value: end / start,
          runs: [end / start],
          details: {
            "at the start, lines/s": start,
            "at the end, lines/s": end,
            "worker, MB at most": peak("worker"),
            "API, MB at most": peak("api"),
          },
        },
      ],
      plots: [
        {
          name: "endurance",
          title: `${total.toLocaleString("en")} lines in ${String(BATCHES)} batches, one machine`,
          kind: "line",
          x: "s",
          y: "lines/s",
          series: [{ name: "Nightshift", points: rates }],
        },
      ],
    };
  },
};
