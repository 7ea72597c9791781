/** The two profiles in which Nightshift runs, and how to start each of them. */
import { testServices } from "../test-services.ts";

/** `one-machine` is one command on one machine. `scaled` is several processes on Postgres, Redis and S3. */
export type Profile = "one-machine" | "scaled";

/** One program of a stack. */
export interface Program {
  readonly name: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** The programs of a profile, and the addresses of its parts.  */
export interface ProfilePlan {
  readonly programs: readonly Program[];
  /** Base addresses of the APIs. */
  readonly urls: readonly [string, ...string[]];
  /** The first API key and the admin key, which exist when the stack is ready. */
  readonly readKeys: () => Promise<{ readonly key: string; readonly adminKey: string }>;
  /** The URL of the database, or null if the stack runs its own. */
  readonly databaseUrl: string | null;
  /** The URL of Redis, or null if the queue is in Postgres. */
  readonly redisUrl: string | null;
}

/** Returns the profiles that this machine can start. The scaled profile needs Redis and S3. */
export function availableProfiles(): readonly Profile[] {
  const { redisUrl, s3 } = testServices();
  return redisUrl === null || s3 === null ? ["one-machine"] : ["one-machine", "scaled"];
}
