/** Python with the packages of the guide and the official SDK: the one named in TEST_PYTHON, that of `.ci/run`, or the machine's. */
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { MissingService, RunningService } from "./service.ts";

const run = promisify(execFile);

/** Finds a Python that has `openai` and `requests`, or says what goes untested without it. */
export async function findPython(): Promise<RunningService | MissingService> {
  const given = process.env["TEST_PYTHON"];
  const candidates = given ? [given] : [path.join(homedir(), ".cache/nightshift/python/bin/python"), "python3"];
  for (const python of candidates) {
    const isUsable = await run(python, ["-c", "import openai, requests"], { timeout: 20_000 }).then(
      () => true,
      () => false,
    );
    if (isUsable) return { variables: { TEST_PYTHON: python }, stop: () => Promise.resolve() };
  }
  return { missing: "The Python SDK (pip install openai requests, or set TEST_PYTHON)." };
}
