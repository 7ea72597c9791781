/** A running Nightshift for black-box tests: real processes from the build, which a test can kill and restart. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { QueryResultRow } from "pg";
import { hasFailedTest } from "../failed-file.ts";
import { findProcesses, requireProcessSearch } from "../processes.ts";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { until } from "../until.ts";
import { findStackProcesses, type Role, type StackProcess } from "./environment.ts";
import { type MemoryPeak, watchMemory } from "./memory-watch.ts";
import { planOneMachine } from "./one-machine.ts";
import type { Profile, ProfilePlan } from "./profile.ts";
import { countJobs, type QueueStore, wipeQueue } from "./queue-store.ts";
import { createPrograms } from "./programs.ts";
import { planScaled } from "./scaled.ts";
import { createStatements } from "./statements.ts";

/** The stack to start. */
export interface StackOptions {
  readonly profile: Profile;
  /** Workers of the scaled profile. The default is 2. */
  readonly workers?: number;
  /** APIs of the scaled profile. The default is 2. */
  readonly apis?: number;
  /** Variables for every process, which override the profile's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running Nightshift. */
export interface Stack {
  readonly profile: Profile;
  /** Address of the (first) API, without a path. */
  readonly url: string;
  /** Addresses of all APIs. */
  readonly urls: readonly string[];
  /** An API key of the tenant `default`. */
  readonly key: string;
  /** Password of the dashboard's user `admin`. */
  readonly adminKey: string;
  /** Returns all running processes of the stack, including child processes of the stack's processes. */
  readonly processes: () => Promise<readonly StackProcess[]>;
  /** Sends SIGKILL to all processes of a role, or to all, and resolves when they have ended. */
  readonly kill9: (role: Role | "everything") => Promise<void>;
  /** Sends SIGTERM to all processes of a role, as an upgrade does, and resolves when they have ended. */
  readonly terminate: (role: Role) => Promise<void>;
  /** Starts the programs that have ended, and resolves when every API is ready (at most 60 s). */
  readonly restart: () => Promise<void>;
  /** Runs one statement on the database. */
  readonly sql: <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Empties the queue, like a loss of Redis or of BullMQ's schema. */
  readonly wipeQueue: () => Promise<void>;
  /** Returns the number of jobs in the queue, in any state. */
  readonly queueLength: () => Promise<number>;
  /** Returns the peak memory of each process, including ended ones. */
  readonly memoryPeaks: () => Promise<readonly MemoryPeak[]>;
  /** Returns all output of all processes so far. */
  readonly logs: () => Promise<string>;
  /** Stops all processes. Rejects if one had to be killed, ended with an error or left another process behind. */
  readonly stop: () => Promise<void>;
}

/** Starts a stack and resolves when it is ready. If that fails, it stops the processes that it has started. */
export async function startStack(options: StackOptions): Promise<Stack> {
  requireProcessSearch();
  const mark = randomBytes(6).toString("hex");
  const folder = await makeTemporaryFolder(`stack-${options.profile}`);
  const plan = await makePlan(folder, options);
  const programs = createPrograms(folder, plan, mark);
  const processes = (): Promise<StackProcess[]> => findStackProcesses(mark);
  const databaseUrl = async (): Promise<string> => plan.databaseUrl ?? databaseOf(await processes());
  const queueStore = async (): Promise<QueueStore> =>
    plan.redisUrl === null ? { kind: "postgres", url: await databaseUrl() } : { kind: "redis", url: plan.redisUrl };
  const statements = createStatements(databaseUrl);
  const memory = watchMemory(processes);
  const end = async (role: Role | "everything", signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    await memory.look();
    statements.forget();
    const victims = (await processes()).filter((one) => role === "everything" || one.role === role);
    if (victims.length === 0) throw new Error(`No process of the role ${role} is running.`);
    await endAll(victims, mark, signal);
    await programs.noticeEnd(new Set(victims.map(({ pid }) => pid)));
  };
  const stop = async (): Promise<void> => {
    await memory.look();
    memory.stop();
    statements.forget();
    const faults = await programs.stop();
    const left = await findProcesses(mark);
    faults.push(...left.map(({ command }) => `This process was left behind: ${command}`));
    await endAll(left, mark, "SIGKILL");
    if (faults.length > 0) throw new Error(`${faults.join("\n")}\n${await programs.logs()}`);
    if (hasFailedTest()) process.stderr.write(`The logs of the ${options.profile} stack are in ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  };
  try {
    programs.startMissing();
    await programs.ready();
    return {
      profile: options.profile,
      url: plan.urls[0],
      urls: plan.urls,
      ...(await plan.readKeys()),
      processes,
      kill9: (role) => end(role, "SIGKILL"),
      terminate: (role) => end(role, "SIGTERM"),
      restart: async () => {
        statements.forget();
        programs.startMissing();
        await programs.ready();
      },
      sql: statements.run,
      wipeQueue: async () => wipeQueue(await queueStore()),
      queueLength: async () => countJobs(await queueStore()),
      memoryPeaks: memory.look,
      logs: programs.logs,
      stop,
    };
  } catch (error) {
    await stop().catch(() => undefined); // the error of the start is the one to report
    throw error;
  }
}

function makePlan(folder: string, options: StackOptions): Promise<ProfilePlan> {
  const env = options.env ?? {};
  if (options.profile === "one-machine") return planOneMachine(folder, env);
  return planScaled(folder, env, { apis: options.apis ?? 2, workers: options.workers ?? 2 });
}

async function endAll(
  victims: readonly { readonly pid: number }[],
  mark: string,
  signal: "SIGKILL" | "SIGTERM",
): Promise<void> {
  for (const { pid } of victims) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // The process ended between the search and the kill, as children do when their parent is killed first.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
  const pids = new Set(victims.map(({ pid }) => pid));
  await until(async () => !(await findProcesses(mark)).some(({ pid }) => pids.has(pid)), {
    message: `processes are gone after ${signal}`,
    timeoutMs: 60_000,
  });
}

/** Returns the address of a database that the stack runs itself: only its processes know it. */
function databaseOf(processes: readonly StackProcess[]): string {
  const url = processes.map(({ environment }) => environment.get("DATABASE_URL")).find((one) => one !== undefined);
  if (url === undefined) throw new Error("No process is running that could tell the address of the database.");
  return url;
}
