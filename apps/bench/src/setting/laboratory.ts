/** What benchmarks run on: durable services, stacks on them, upstreams and baselines, each a process of its own, all on this machine. */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import path from "node:path";
import { fork } from "node:child_process";
import {
  makeTemporaryFolder,
  programEnvironment,
  startChild,
  startStack,
  type Stack,
  type StackOptions,
} from "@nightshift/testing/stack";
import { startTestServices, stopTestServices } from "@nightshift/testing/services";
import type { InputFile } from "./input-file.ts";
import type { ReplyKind } from "../programs/upstream-replies.ts";

export interface UpstreamOptions {
  readonly reply?: ReplyKind;
  /** Median, in milliseconds; 0 answers at once. */
  readonly latencyMs?: number;
  /** Spread of a log-normal latency; 0 is none. */
  readonly sigma?: number;
}

export interface UpstreamStats {
  readonly requests: number;
  /** Milliseconds since 1970: the first request came, the last reply went. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface Upstream {
  readonly url: string;
  stats(): Promise<UpstreamStats>;
  reset(): Promise<void>;
}

export interface BareLoopRun {
  readonly seconds: number;
  readonly lines: number;
}

export interface Laboratory {
  /** For input files and what baselines write; removed in the end. */
  readonly folder: string;
  openStack(options: StackOptions): Promise<Stack>;
  startUpstream(options?: UpstreamOptions): Promise<Upstream>;
  /** Starts a program of `programs/` that listens, and returns where. */
  startServer(name: string, args: readonly string[]): Promise<string>;
  runBareLoop(input: InputFile, upstream: Upstream, concurrency: number): Promise<BareLoopRun>;
  /** Ends what was started since the laboratory was opened, or since the last call; the services stay. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const PROGRAMS = "apps/bench/dist/programs";
const STOP_MS = 2_000;

export async function openLaboratory(): Promise<Laboratory> {
  await startTestServices({ isDurable: true });
  const folder = await makeTemporaryFolder("bench");
  const running: (() => Promise<unknown>)[] = [];
  let started = 0;

  const startServer = async (name: string, args: readonly string[]): Promise<string> => {
    started += 1;
    const child = startChild({
      main: `${PROGRAMS}/${name}.js`,
      args,
      env: programEnvironment({}, "bench"),
      logFile: path.join(folder, `${name}-${String(started)}.log`),
    });
    running.push(() => child.stop(STOP_MS));
    return child.listening();
  };
  const clear = async (): Promise<void> => {
    for (let stop = running.pop(); stop !== undefined; stop = running.pop()) await stop();
  };

  return {
    folder,
    startServer,
    async openStack(options) {
      const stack = await startStack(options);
      running.push(stack.stop);
      return stack;
    },
    async startUpstream({ reply = "chat", latencyMs = 0, sigma = 0 } = {}) {
      const args = ["--reply", reply, "--latency-ms", String(latencyMs), "--sigma", String(sigma)];
      const url = await startServer("upstream", args);
      return {
        url,
        stats: async () => (await (await fetch(`${url}/stats`)).json()) as UpstreamStats,
        reset: async () => {
          await (await fetch(`${url}/reset`)).arrayBuffer();
        },
      };
    },
    async runBareLoop(input, upstream, concurrency) {
      const args = [
        ...["--input", input.file, "--output", path.join(folder, "bare-loop.jsonl")],
        ...["--upstream", upstream.url, "--concurrency", String(concurrency)],
      ];
      const loop = fork(new URL("../programs/bare-loop.js", import.meta.url), args, {
        env: programEnvironment({}, "bench"),
      });
      const ended = once(loop, "exit").then(() => Promise.reject(new Error("the bare loop ended without a result")));
      const [run] = (await Promise.race([once(loop, "message"), ended])) as [BareLoopRun];
      await ended.catch(() => undefined);
      return run;
    },
    clear,
    async close() {
      await clear();
      await stopTestServices();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
