/**
 * Rows 5 and 7: replies of 33 KB each, 1.6 GB in total, and the download of the output file. Measures whether memory
 * grows with the size of the replies, and what a download costs compared with a static server.
 */
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Profile } from "@nightshift/testing/stack";
import type { Benchmark, BenchmarkReport, BenchmarkContext } from "../benchmark.ts";
import { runBatch } from "../measure/batch-run.ts";
import { watchResidentMemory } from "../measure/resident-memory.ts";
import { median } from "../measure/quantile.ts";
import { toMegabytes } from "../report/numbers.ts";
import { writeInput } from "../test-bed/input-file.ts";
import { cpuDetails } from "./overhead.ts";
import { plotRuns } from "./plots.ts";
import { startBenchmarkStack, onEachProfile, type StackWithClient } from "./stacks.ts";

async function measure(context: BenchmarkContext, profile: Profile): Promise<BenchmarkReport> {
  const { testBed, isFull, say } = context;
  const input = await writeInput(testBed.folder, { lines: isFull ? 50_000 : 500, endpoint: "/v1/embeddings" });
  const upstream = await testBed.startUpstream({ reply: "embedding" });
  const bench = await startBenchmarkStack(context, { profile, upstream });
  const fileId = await bench.client.upload(input);
  const memory = watchResidentMemory(bench.stack);
  const run = await runBatch({ client: bench.client, upstream, fileId, endpoint: input.endpoint, pollMs: 250 });
  memory.stop();
  const peaks = (await bench.stack.memoryPeaks()).filter(({ role }) => role === "worker");
  const peak = toMegabytes(Math.max(...peaks.map(({ bytes }) => bytes)));
  say(`${profile}: ${peak.toFixed(0)} MB, ${(input.lines / run.seconds).toFixed(0)} lines/s`);
  const download = await compareDownload(context, bench, profile, run.batch.output_file_id ?? "");
  await testBed.clear();
  return {
    figures: [
      {
        row: 5,
        name: `worker's memory, 50,000 embeddings, ${profile}, most`,
        value: peak,
        runs: [peak],
        details: {
          "lines/s": input.lines / run.seconds,
          "completed after the last reply, s": run.finishMs / 1_000,
          ...cpuDetails([run]),
        },
      },
      ...download.figures,
    ],
    plots: [
      {
        name: `embeddings-${profile}`,
        title: `Memory of the worker over ${input.lines.toLocaleString("en")} embeddings of 33 KB, ${profile}`,
        kind: "line",
        x: "s",
        y: "MB",
        series: [{ name: "worker", points: memory.points() }],
      },
      ...download.plots,
    ],
  };
}

async function compareDownload(
  context: BenchmarkContext,
  bench: StackWithClient,
  profile: Profile,
  fileId: string,
): Promise<BenchmarkReport> {
  const { testBed, runs, say } = context;
  const folder = path.join(testBed.folder, `static-${profile}`);
  await mkdir(folder);
  const copy = path.join(folder, "output.jsonl");
  await pipeline(bodyOf(await bench.client.download(fileId)), createWriteStream(copy));
  const bareUrl = `${await testBed.startServer("static-server", [folder])}/output.jsonl`;
  const speeds: { bare: number; ours: number }[] = [];
  for (let run = 1; run <= runs; run += 1) {
    speeds.push({
      bare: await speedOf(() => fetch(bareUrl)),
      ours: await speedOf(() => bench.client.download(fileId)),
    });
  }
  await rm(folder, { recursive: true });
  const ratios = speeds.map((run) => run.ours / run.bare);
  say(`${profile}: download at ${median(ratios).toFixed(2)} of a static server`);
  return {
    figures: [
      {
        row: 7,
        name: `download of the 1.6 GB, ${profile}`,
        value: median(ratios),
        runs: ratios,
        details: {
          "static server, MB/s": median(speeds.map((run) => run.bare)),
          "Nightshift, MB/s": median(speeds.map((run) => run.ours)),
        },
      },
    ],
    plots: [
      plotRuns(
        { name: `download-${profile}`, title: `Download of an output file, ${profile}`, y: "MB/s" },
        { "static server": speeds.map((run) => run.bare), Nightshift: speeds.map((run) => run.ours) },
      ),
    ],
  };
}

function bodyOf(reply: Response): Readable {
  return Readable.fromWeb(reply.body as ReadableStream<Uint8Array>);
}

/** Measures MB per second from the request to the last byte, and discards the bytes. */
async function speedOf(open: () => Promise<Response>): Promise<number> {
  const begun = performance.now();
  let bytes = 0;
  for await (const chunk of bodyOf(await open())) bytes += (chunk as Uint8Array).byteLength;
  return toMegabytes(bytes) / ((performance.now() - begun) / 1_000);
}

export const embeddings: Benchmark = {
  name: "embeddings",
  title: "50,000 embeddings of 33 KB: memory, and the download of 1.6 GB (rows 5, 7)",
  run: (context) => onEachProfile((profile) => measure(context, profile)),
};
