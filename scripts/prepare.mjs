// Makes a clone ready to run: checks the Node version, installs the packages of package-lock.json, and builds what has
// changed. It runs before anything is installed, so it uses Node's built-ins only. It prints nothing when there is
// nothing to do.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = [20, 19];

// Does not use import.meta.dirname, because an old Node without it must still print the message about its version.
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const say = (text) => process.stderr.write(`${text}\n`);

/** An error whose message is all that the user needs to see. */
class PrepareError extends Error {}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new PrepareError(
    `Nightshift needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.version} (${process.execPath}).`,
  );
}

const lockFile = path.join(root, "package-lock.json");
/** npm writes this file at the end of an install, so an interrupted install lacks it. */
const installedFile = path.join(root, "node_modules", ".package-lock.json");
/** The hash of the lock file that was installed successfully. */
const stampFile = path.join(root, "node_modules", ".nightshift-installed");

const hash = (text) => createHash("sha256").update(text).digest("hex");

/** Returns the packages that a lock file lists, without the workspaces' own folders. */
function readPackages(file) {
  const { packages } = JSON.parse(readFileSync(file, "utf8"));
  return Object.entries(packages).filter(([place]) => place.includes("node_modules/"));
}

/**
 * True if this script installed this lock file, or if the packages that the file lists are installed. Optional packages
 * may be absent, because most are for other platforms. Packages that npm lists although nothing needs them may be
 * absent too.
 */
function isInstalled() {
  if (!existsSync(lockFile))
    throw new PrepareError(`There is no package-lock.json in ${root}: this clone is incomplete.`);
  if (!existsSync(installedFile)) return false;
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash(readFileSync(lockFile))) return true;
  const present = new Map(readPackages(installedFile));
  return readPackages(lockFile).every(([place, { version, integrity, optional, extraneous }]) => {
    const found = present.get(place);
    if (found === undefined) return optional === true || extraneous === true;
    return found.version === version && found.integrity === integrity;
  });
}

/** Runs a program in the clone and shows its output only when it fails. Returns how many seconds it took. */
async function run(command, args, whatToDo) {
  const started = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const end = await new Promise((resolve) => {
    child.once("error", (error) => resolve(String(error)));
    child.once("close", (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  if (end === null) return ((performance.now() - started) / 1000).toFixed(1);
  const text = Buffer.concat(output).toString().trim();
  throw new PrepareError(`${text}\n\n\`${[path.basename(command), ...args].join(" ")}\` failed (${end}). ${whatToDo}`);
}

async function install() {
  say("Installing packages (npm install); the first time takes a minute ...");
  // `npm run` sets npm_execpath to the path of its npm. Without this variable, use the npm on the PATH.
  const npmCli = process.env.npm_execpath?.endsWith("npm-cli.js") ? process.env.npm_execpath : null;
  // `npm ci` is not used: it rejects a lock file that lacks an optional package of another platform, which some
  // registries do not offer, and it deletes installed packages. --no-save keeps the lock file unchanged. Without
  // --include=dev, NODE_ENV=production in the environment would leave out the compiler.
  const args = ["install", "--no-save", "--include=dev", "--no-audit", "--no-fund"];
  const seconds = await run(
    npmCli === null ? "npm" : process.execPath,
    npmCli === null ? args : [npmCli, ...args],
    "It needs access to the npm registry, and permission to write to node_modules. Then run the same command again.",
  );
  writeFileSync(stampFile, hash(readFileSync(lockFile)));
  say(`Installed in ${seconds} s.`);
}

/** `tsc -b` compiles only what has changed. Without changes it takes about a third of a second. */
async function build() {
  const isFirst = !existsSync(path.join(root, "apps", "cli", "dist", "main.js"));
  if (isFirst) say("Building (tsc -b) ...");
  const apps = readdirSync(path.join(root, "apps")).map((name) => path.join("apps", name));
  const seconds = await run(
    process.execPath,
    [path.join("node_modules", "@typescript", "native", "bin", "tsc"), "-b", ...apps, path.join("packages", "testing")],
    "The sources do not compile.",
  );
  if (isFirst) say(`Built in ${seconds} s.`);
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** Returns the pid that holds the lock, or null when the lock is free. */
const holder = (file) => {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    // The file does not exist: the lock is free, or was released just now.
    return null;
  }
};

/** Runs `work` while no other npm script installs or builds this clone. */
async function withLock(work) {
  const clone = hash(root).slice(0, 16);
  // The lock is outside the clone, because npm ci empties node_modules and git must not list the lock as a new file.
  const file = path.join(os.tmpdir(), `nightshift-prepare-${os.userInfo().uid}-${clone}`);
  let isWaiting = false;
  while (!(await take(file))) {
    if (!isWaiting)
      say(`Another npm script (pid ${holder(file) ?? "unknown"}) is preparing this clone; waiting for it ...`);
    isWaiting = true;
    await delay(100);
  }
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  await work();
  process.off("exit", release);
  release();
}

async function take(file) {
  const pid = holder(file);
  const isStale = pid !== null && !isAlive(pid);
  if (isStale) rmSync(file, { force: true });
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  // Two scripts may have found the same stale lock, and one may have removed the new lock of the other.
  if (isStale) await delay(100);
  return holder(file) === process.pid;
}

try {
  checkNode();
  await withLock(async () => {
    if (!isInstalled()) await install();
    await build();
  });
} catch (error) {
  if (!(error instanceof PrepareError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
