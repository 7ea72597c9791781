/** Runs an external program, such as a shell or Python, and returns its output. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Runs a program in `folder`, by default for at most a minute and with the environment of the tests. If the program
 * ends with an error, rejects with all its output.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  folder: string,
  timeoutMs = 60_000,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  try {
    const { stdout } = await run(file, args, { cwd: folder, env, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} failed:\n${stdout ?? ""}\n${stderr ?? ""}`, { cause: error });
  }
}
