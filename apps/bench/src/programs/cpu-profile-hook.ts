/**
 * Records a CPU profile of a process of Nightshift and of each of its threads, and writes it as a .cpuprofile file at
 * the end. NODE_OPTIONS=--import loads this file first. Node does not allow its own --cpu-prof in NODE_OPTIONS, and
 * `nightshift up` starts its programs without flags. Works on Linux only.
 */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BroadcastChannel, isMainThread, threadId, Worker } from "node:worker_threads";
import { profileFolder } from "../config.ts";

const SAMPLE_MICROSECONDS = 1_000;
/** A thread that takes longer to write its profile is terminated without it. */
const THREAD_WRITES_MS = 5_000;

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.setSamplingInterval", { interval: SAMPLE_MICROSECONDS });
session.post("Profiler.start");

const channelOf = (thread: number): string => `nightshift-profile-${String(thread)}`;

/** Returns a name such as `scaled-worker-4711` or `one-machine-api-4712`. */
function nameProcess(): string {
  const program = /apps\/([^/]+)\/dist\//.exec(process.argv[1] ?? "")?.[1] ?? "unknown";
  const thread = isMainThread ? "" : `-thread-${String(threadId)}`;
  return `${isOnOneMachine(process.pid) ? "one-machine" : "scaled"}-${program}-${String(process.pid)}${thread}`;
}

/** True for `nightshift up` and the processes that it started. */
function isOnOneMachine(pid: number): boolean {
  if (pid <= 1) return false;
  const read = (file: string): string => readFileSync(`/proc/${String(pid)}/${file}`, "utf8");
  if (read("cmdline").includes("apps/cli/")) return true;
  return isOnOneMachine(Number(/^PPid:\s*(\d+)/m.exec(read("status"))?.[1] ?? 0));
}

// The name is made at the start, because the parent process may have ended before this one.
const file = path.join(profileFolder(), `${nameProcess()}.cpuprofile`);

function writeProfile(): void {
  // The session belongs to this thread, so the callback runs before `post` returns.
  session.post("Profiler.stop", (error, result) => {
    if (error === null) writeFileSync(file, JSON.stringify(result.profile));
  });
}

process.once("exit", writeProfile);

// A terminated thread does not emit 'exit'. So `terminate` first tells the thread to write its profile.
if (isMainThread) {
  const terminate = Object.getOwnPropertyDescriptor(Worker.prototype, "terminate")?.value as () => Promise<number>;
  Worker.prototype.terminate = async function terminateProfiled(this: Worker): Promise<number> {
    const channel = new BroadcastChannel(channelOf(this.threadId));
    channel.postMessage("write");
    const written = once(channel, "message");
    await Promise.race([written, once(this, "exit"), sleep(THREAD_WRITES_MS, null, { ref: false })]);
    channel.close();
    return terminate.call(this);
  };
} else {
  const channel = new BroadcastChannel(channelOf(threadId));
  channel.onmessage = () => {
    process.off("exit", writeProfile);
    writeProfile();
    channel.postMessage("written");
  };
  channel.unref();
}
