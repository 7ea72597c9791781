/** The two profiles in which Nightshift runs, and how to start each of them. */
import { testServices } from "../test-services.ts";

/** One command on one machine, or several processes on Postgres, Redis and S3. */
export type Profile = "one-machine" | "scaled";

/** One program of a stack. */
export interface Program {
  readonly name: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** What starting a profile needs, and where its parts are then to be found. */
export interface ProfilePlan {
  readonly programs: readonly Program[];
  /** Base addresses of the APIs. */
  readonly urls: readonly [string, ...string[]];
  /** The first API key and the operator's; known once the stack is ready. */
  readonly readKeys: () => Promise<{ readonly key: string; readonly adminKey: string }>;
  /** The database with the truth; null for the one that the stack runs itself. */
  readonly databaseUrl: string | null;
  /** Null where the queue is in Postgres. */
  readonly redisUrl: string | null;
}

/** The profiles that can be started here: the scaled one wants Redis and S3. */
export function availableProfiles(): readonly Profile[] {
  const { redisUrl, s3 } = testServices();
  return redisUrl === null || s3 === null ? ["one-machine"] : ["one-machine", "scaled"];
}
