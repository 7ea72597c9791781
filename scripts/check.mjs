// Runs the checks that need no running program: lint, which takes longest, beside the others. Node's built-ins only.
import { spawn } from "node:child_process";
import process from "node:process";

/** One after the other, in the order in which a fault is cheapest to find; `lint` needs one core all the while. */
const QUICK = ["format:check", "build", "knip"];
const SLOW = "lint";

const running = new Set();
let isStopping = false;

/** Starts an npm script. Resolves with its exit code; what it prints is shown at once, or with `isQuiet` when it has ended. */
function start(name, { isQuiet = false } = {}) {
  const npmCli = process.env.npm_execpath?.endsWith("npm-cli.js")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"];
  const [command, ...args] = [...npmCli, "run", name];
  const child = spawn(command, args, { stdio: isQuiet ? ["ignore", "pipe", "pipe"] : "inherit" });
  running.add(child);
  const said = [];
  child.stdout?.on("data", (chunk) => said.push(chunk));
  child.stderr?.on("data", (chunk) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      if (!isStopping) process.stdout.write(Buffer.concat(said));
      resolve(code ?? 1);
    });
  });
}

function stopAll() {
  isStopping = true;
  for (const child of running) child.kill("SIGTERM");
}

// Sent by a terminal, it reaches the children as well; sent to this process alone, it has to be passed on.
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
