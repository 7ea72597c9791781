// Runs the tests: jest's projects one after the other, and closes on one line with the sum. Arguments go to jest. Node's built-ins only.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** In the order in which a fault is cheapest to find. The tests that start processes wait for them more than they compute. */
const PROJECTS = [
  { name: "unit", workers: 2, timeoutMs: 5_000 },
  { name: "integration", workers: 3, timeoutMs: 60_000 },
  { name: "e2e", workers: 2, timeoutMs: 240_000 },
  // What is measured must not be shared with other tests.
  { name: "alone", workers: 1, timeoutMs: 240_000 },
];

const root = path.dirname(import.meta.dirname);

/** Splits `--selectProjects a b` (jest's spelling) off the arguments. */
function selectProjects(args) {
  const at = args.indexOf("--selectProjects");
  if (at < 0) return { selected: PROJECTS, rest: args };
  const names = [];
  let end = at + 1;
  while (end < args.length && PROJECTS.some((project) => project.name === args[end])) names.push(args[end++]);
  if (names.length === 0) {
    throw new Error(`--selectProjects wants one or more of: ${PROJECTS.map((project) => project.name).join(", ")}`);
  }
  return {
    selected: PROJECTS.filter((project) => names.includes(project.name)),
    rest: [...args.slice(0, at), ...args.slice(end)],
  };
}

/** Runs one project and returns its exit code and its numbers (null when jest did not get as far as counting). */
function runProject(project, args, folder) {
  const tallyFile = path.join(folder, `${project.name}.json`);
  const bounded = args.some((arg) => /^(-w|-i|--runInBand|--maxWorkers)/.test(arg));
  const child = spawn(
    process.execPath,
    [
      "--no-warnings",
      "--experimental-vm-modules",
      path.join(root, "node_modules/jest/bin/jest.js"),
      ...["--selectProjects", project.name],
      ...["--reporters", "default", "--reporters", path.join(root, "tests/support/tally.mjs")],
      "--passWithNoTests",
      `--testTimeout=${project.timeoutMs}`,
      ...(bounded ? [] : [`--maxWorkers=${project.workers}`]),
      ...args,
    ],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, TEST_TALLY_FILE: tallyFile, TEST_LEFT_OUT_FILE: path.join(folder, "left-out") },
    },
  );
  // What a terminal sends on Ctrl-C reaches jest as well; what is sent to this process alone has to be passed on.
  const passOn = () => child.kill("SIGTERM");
  process.once("SIGTERM", passOn);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("SIGTERM", passOn);
      resolve({ code: code ?? 1, tally: existsSync(tallyFile) ? JSON.parse(readFileSync(tallyFile, "utf8")) : null });
    });
  });
}

/** Adds the numbers up; a run that failed for a reason other than its tests (a leftover process, a crash) counts as one failure. */
function addUp(runs) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { code, tally } of runs) {
    sum.passed += tally?.passed ?? 0;
    sum.failed += Math.max(tally?.failed ?? 0, code === 0 ? 0 : 1);
    sum.skipped += tally?.skipped ?? 0;
  }
  return sum;
}

/** What the services' starter wrote down as not to be had, one sentence a line. */
function leftOut(folder) {
  const file = path.join(folder, "left-out");
  return existsSync(file) ? [...new Set(readFileSync(file, "utf8").split("\n").filter(Boolean))] : [];
}

process.on("SIGINT", () => {}); // jest has it too and ends; this process stays for the sum
const { selected, rest } = selectProjects(process.argv.slice(2));
const folder = mkdtempSync(path.join(tmpdir(), "nightshift-test-run-"));
try {
  const runs = [];
  for (const project of selected) {
    runs.push(await runProject(project, rest, folder));
  }
  const { passed, failed, skipped } = addUp(runs);
  const missing = leftOut(folder);
  if (missing.length > 0) console.log(`Left out: ${missing.join(" ")}`);
  if (passed + failed === 0) console.log("No test matches what was asked for.");
  console.log(`Tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = passed === 0 || failed > 0 ? Math.max(1, ...runs.map((run) => run.code)) : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
