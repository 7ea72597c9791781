/** Finds a shell with curl, which runs the commands of the documentation. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { MissingService, RunningService } from "./service.ts";

const run = promisify(execFile);

/** Finds a bash with curl, or reports what is not tested without it. */
export async function findCurl(): Promise<RunningService | MissingService> {
  const isUsable = await run("bash", ["-c", "curl --version"], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
  if (isUsable) return { variables: { TEST_BASH: "bash" }, stop: () => Promise.resolve() };
  return { missing: "The guide's curl commands (install bash and curl)." };
}
