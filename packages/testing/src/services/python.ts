/** Finds a Python with the packages that tests need: TEST_PYTHON, the Python that `.ci/run` installs, or `python3`. */
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { MissingService, RunningService } from "./service.ts";

const run = promisify(execFile);

/** Finds the packages without importing them, because an import takes seconds on a busy machine. */
const FIND = `from importlib.util import find_spec; assert all(map(find_spec, ("openai", "requests", "schemathesis")))`;

/** Finds a Python with `openai`, `requests` and `schemathesis`, or reports what is not tested without it. */
export async function findPython(): Promise<RunningService | MissingService> {
  const given = process.env["TEST_PYTHON"];
  const candidates = given ? [given] : [path.join(homedir(), ".cache/nightshift/python/bin/python"), "python3"];
  for (const python of candidates) {
    const isUsable = await run(python, ["-c", FIND], { timeout: 20_000 }).then(
      () => true,
      () => false,
    );
    if (isUsable) return { variables: { TEST_PYTHON: python }, stop: () => Promise.resolve() };
  }
  return {
    missing:
      "The Python SDK and the fuzzing of requests (pip install openai requests schemathesis, or set TEST_PYTHON).",
  };
}
