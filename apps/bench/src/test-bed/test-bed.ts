/**
 * The processes that a benchmark needs, all on this machine: durable services, stacks of Nightshift on them, upstreams
 * and baselines. Each runs as its own process.
 */
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
import type { ReplyKind } from "../programs/upstream.ts";

export interface UpstreamOptions {
  readonly reply?: ReplyKind;
  /** The median latency in milliseconds. With 0 the upstream replies at once. */
  readonly latencyMs?: number;
  /** The sigma of a log-normal latency. With 0 every reply has the same latency. */
  readonly sigma?: number;
}

export interface UpstreamStats {
  readonly requests: number;
  /** When the first request arrived and the last reply was sent, in milliseconds since 1970. */
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

export interface TestBed {
  /** For input files and the output of baselines. `close` removes it. */
  readonly folder: string;
  openStack(options: StackOptions): Promise<Stack>;
  startUpstream(options?: UpstreamOptions): Promise<Upstream>;
  /** Starts a server of `programs/` and resolves with its URL. */
  startServer(name: string, args: readonly string[]): Promise<string>;
  runBareLoop(input: InputFile, upstream: Upstream, concurrency: number): Promise<BareLoopRun>;
  /** Stops everything that was started since the last call. The services keep running. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const PROGRAMS = "apps/bench/dist/programs";
const STOP_MS = 2_000;

export async function openTestBed(): Promise<TestBed> {
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
