/**
 * Rows 5 and 7: replies of 33 KB, 1.6 GB in all, and the download of what came of them. What is measured is whether memory
 * follows the size of anything, and what a download costs beyond reading a file.
 */
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Profile } from "@nightshift/testing/stack";
import type { Benchmark, Outcome, Session } from "../benchmark.ts";
import { runBatch } from "../measure/batch-run.ts";
import { watchResidentMemory } from "../measure/resident-memory.ts";
import { median } from "../measure/quantile.ts";
import { toMegabytes } from "../rows.ts";
import { writeInput } from "../setting/input-file.ts";
import { cpuDetails } from "./overhead.ts";
import { openBench, onEachProfile, type Bench } from "./profiles.ts";

async function measure(session: Session, profile: Profile): Promise<Outcome> {
  const { lab, isFull, say } = session;
  const input = await writeInput(lab.folder, { lines: isFull ? 50_000 : 500, endpoint: "/v1/embeddings" });
  const upstream = await lab.startUpstream({ reply: "embedding" });
  const bench = await openBench(session, { profile, upstream });
  const fileId = await bench.client.upload(input);
  const memory = watchResidentMemory(bench.stack);
  const run = await runBatch({ client: bench.client, upstream, fileId, endpoint: input.endpoint, pollMs: 250 });
  memory.stop();
  const peaks = (await bench.stack.memoryPeaks()).filter(({ role }) => role === "worker");
  const peak = toMegabytes(Math.max(...peaks.map(({ bytes }) => bytes)));
  say(`${profile}: ${peak.toFixed(0)} MB, ${(input.lines / run.seconds).toFixed(0)} lines/s`);
  const download = await compareDownload(session, bench, profile, run.batch.output_file_id ?? "");
  await lab.clear();
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

async function compareDownload(session: Session, bench: Bench, profile: Profile, fileId: string): Promise<Outcome> {
  const { lab, runs, say } = session;
  const folder = path.join(lab.folder, `static-${profile}`);
  await mkdir(folder);
  const copy = path.join(folder, "output.jsonl");
  await pipeline(bodyOf(await bench.client.download(fileId)), createWriteStream(copy));
  const bareUrl = `${await lab.startServer("static-server", [folder])}/output.jsonl`;
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
      {
        name: `download-${profile}`,
        title: `Download of an output file, ${profile}`,
        kind: "bar",
        x: "run",
        y: "MB/s",
        series: [
          { name: "static server", points: speeds.map((run, i) => [i + 1, run.bare]) },
          { name: "Nightshift", points: speeds.map((run, i) => [i + 1, run.ours]) },
        ],
      },
    ],
  };
}

function bodyOf(reply: Response): Readable {
  return Readable.fromWeb(reply.body as ReadableStream<Uint8Array>);
}

/** MB a second, from the request to the last byte, which goes nowhere. */
async function speedOf(open: () => Promise<Response>): Promise<number> {
  const begun = performance.now();
  let bytes = 0;
  for await (const chunk of bodyOf(await open())) bytes += (chunk as Uint8Array).byteLength;
  return toMegabytes(bytes) / ((performance.now() - begun) / 1_000);
}

export const embeddings: Benchmark = {
  name: "embeddings",
  title: "50,000 embeddings of 33 KB: memory, and the download of 1.6 GB (rows 5, 7)",
  run: (session) => onEachProfile((profile) => measure(session, profile)),
};
