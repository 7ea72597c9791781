/** Row 8: twenty of the largest batches wait. Measures how much memory they take in the queue. */
import type { Benchmark } from "../benchmark.ts";
import { toMegabytes } from "../report/numbers.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { redisUsedBytes, until } from "@nightshift/testing/stack";
import { startBenchmarkStack } from "./stacks.ts";

const BATCHES = 20;

export const waiting: Benchmark = {
  name: "waiting",
  title: "twenty batches of 50,000 lines wait: memory of Redis (row 8)",
  async run(context) {
    const { testBed, isFull, say } = context;
    const input = await writeInput(testBed.folder, { lines: isFull ? 50_000 : 500 });
    // The latency is longer than the benchmark, so that no line finishes during the measurement.
    const upstream = await testBed.startUpstream({ latencyMs: 600_000 });
    const { client } = await startBenchmarkStack(context, { profile: "scaled", upstream });
    const fileId = await client.upload(input);
    const empty = await redisUsedBytes();
    const megabytes: [number, number][] = [[0, 0]];
    for (let batches = 1; batches <= BATCHES; batches += 1) {
      const { id } = await client.create(fileId, input.endpoint);
      await until(async () => (await client.retrieve(id)).status === "in_progress", {
        message: "the batch is validated and waits",
        timeoutMs: 60_000,
      });
      megabytes.push([batches, toMegabytes((await redisUsedBytes()) - empty)]);
    }
    await testBed.clear();
    const most = Math.max(...megabytes.map(([, value]) => value));
    say(`${most.toFixed(2)} MB beyond empty`);
    return {
      figures: [
        { row: 8, name: "Redis beyond empty, 20 batches waiting, most", value: most, runs: [most], details: {} },
      ],
      plots: [
        {
          name: "waiting",
          title: `Memory of Redis beyond empty, by batches of ${input.lines.toLocaleString("en")} lines that wait`,
          kind: "line",
          x: "batches",
          y: "MB",
          series: [{ name: "Redis", points: megabytes }],
        },
      ],
    };
  },
};
