/** The environment of programs under test. It does not contain the variables of the shell that runs the tests. */
import { findProcesses, markedEnvironment } from "../processes.ts";
import { testServices } from "../test-services.ts";

const OURS =
  /^(NIGHTSHIFT_|UPSTREAM_|SIMULATOR_|S3_|AWS_|OPENAI_|TEST_|JEST_)|^(DATABASE_URL|REDIS_URL|WORKER_PROCESSES|PORT|HOST|NODE_OPTIONS|NODE_ENV)$/;

/** Returns the environment of a program with `variables`. `mark` finds the program and its descendants. */
export function programEnvironment(variables: Readonly<Record<string, string>>, mark: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return markedEnvironment({ ...Object.fromEntries(inherited), ...variables }, `${testServices().runId} ${mark}`);
}

/** The role of a process. */
export type Role = "supervisor" | "api" | "worker" | "simulator" | "postgres";

/** A running process of a stack. */
export interface StackProcess {
  readonly role: Role;
  readonly pid: number;
  readonly environment: ReadonlyMap<string, string>;
}

const ROLES: readonly (readonly [RegExp, Role])[] = [
  [/apps\/cli\//, "supervisor"],
  [/apps\/api\//, "api"],
  [/apps\/worker\//, "worker"],
  [/apps\/simulator\//, "simulator"],
  [/postgres -D /, "postgres"],
];

/** Returns the processes under `mark` that have a role, including descendants. */
export async function findStackProcesses(mark: string): Promise<StackProcess[]> {
  const all = await findProcesses(mark);
  return all.flatMap(({ pid, command, environment }) => {
    const role = ROLES.find(([pattern]) => pattern.test(command))?.[1];
    return role === undefined ? [] : [{ role, pid, environment }];
  });
}
