// Runs the static checks: lint, which takes longest, in parallel with the others. Uses Node's built-ins only.
import { spawn } from "node:child_process";
import process from "node:process";

/** These run one after another, the fastest first. `lint` needs one core the whole time. */
const QUICK = ["format:check", "build", "knip"];
const SLOW = "lint";

const running = new Set();
let isStopping = false;

/** Starts an npm script and resolves with its exit code. With `isQuiet` its output appears only after it has ended. */
function start(name, { isQuiet = false } = {}) {
  const npmCli = process.env.npm_execpath?.endsWith("npm-cli.js")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"];
  const [command, ...args] = [...npmCli, "run", name];
  const child = spawn(command, args, { stdio: isQuiet ? ["ignore", "pipe", "pipe"] : "inherit" });
  running.add(child);
  const output = [];
  child.stdout?.on("data", (chunk) => output.push(chunk));
  child.stderr?.on("data", (chunk) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      if (!isStopping) process.stdout.write(Buffer.concat(output));
      resolve(code ?? 1);
    });
  });
}

function stopAll() {
  isStopping = true;
  for (const child of running) child.kill("SIGTERM");
}

// A terminal sends the signal to the children as well. A signal to this process alone must be forwarded.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stopAll);

const slow = start(SLOW, { isQuiet: true });
for (const name of QUICK) {
  const code = await start(name);
  if (code !== 0) process.exitCode = code;
  if (code !== 0 || isStopping) break;
}
if (process.exitCode) stopAll();
const slowCode = await slow;
process.exitCode = process.exitCode || slowCode;
