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

/** What to start. */
export interface StackOptions {
  readonly profile: Profile;
  /** Workers of the scaled profile; 2 unless told. */
  readonly workers?: number;
  /** APIs of the scaled profile; 2 unless told. */
  readonly apis?: number;
  /** Variables for every process, over those of the profile. */
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
  /** All running processes of the stack, including the ones that other processes of the stack started. */
  readonly processes: () => Promise<readonly StackProcess[]>;
  /** Ends all processes of a role, or all there are, without warning, and resolves when they are gone. */
  readonly kill9: (role: Role | "everything") => Promise<void>;
  /** Asks all processes of a role to end, as an upgrade does, and resolves when they are gone. */
  readonly terminate: (role: Role) => Promise<void>;
  /** Starts the programs that no longer run and resolves when every API is ready (at most 60 s). */
  readonly restart: () => Promise<void>;
  /** Runs one statement on the database that has the truth. */
  readonly sql: <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Empties the queue, as the loss of Redis or of BullMQ's schema would. */
  readonly wipeQueue: () => Promise<void>;
  /** How many jobs the queue holds, in whatever state. */
  readonly queueLength: () => Promise<number>;
  /** The most memory that each process ever held, those that ended among them. */
  readonly memoryPeaks: () => Promise<readonly MemoryPeak[]>;
  /** All output of all processes so far. */
  readonly logs: () => Promise<string>;
  /** Ends all processes in order. Rejects when one had to be killed, ended with an error or left another behind. */
  readonly stop: () => Promise<void>;
}

/** Starts a stack and resolves when it is ready. What was started is stopped again when that fails. */
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
    if (hasFailedTest()) process.stderr.write(`What the ${options.profile} stack wrote stays in ${folder}\n`);
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
    await stop().catch(() => undefined); // the reason of the start's failure is the one to tell
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
