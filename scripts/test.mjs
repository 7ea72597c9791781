// Runs jest's projects one after another and prints the sum of their results as the last line. Other arguments go to
// jest. Uses Node's built-ins only.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * The projects of jest.config.ts, the fastest first. `npm test` runs the essential ones. Tests that start processes
 * mostly wait, so integration tests get more workers than the machine has cores.
 */
const PROJECTS = [
  { name: "unit", isEssential: true, workers: 2, timeoutMs: 5_000 },
  { name: "integration", isEssential: true, workers: 3, timeoutMs: 60_000 },
  { name: "e2e", isEssential: true, workers: 2, timeoutMs: 240_000 },
  { name: "long", isEssential: false, workers: 2, timeoutMs: 240_000 },
  // These tests measure rates, so they must not share the machine with other tests.
  { name: "alone", isEssential: false, workers: 1, timeoutMs: 240_000 },
];

const root = path.dirname(import.meta.dirname);

/** Separates `--selectProjects a b` (jest's spelling) from the other arguments. */
function selectProjects(args) {
  const at = args.indexOf("--selectProjects");
  if (at < 0) return { selected: PROJECTS.filter((project) => project.isEssential), rest: args };
  const names = [];
  let end = at + 1;
  while (end < args.length && PROJECTS.some((project) => project.name === args[end])) names.push(args[end++]);
  if (names.length === 0) {
    throw new Error(`--selectProjects needs one or more of: ${PROJECTS.map((project) => project.name).join(", ")}`);
  }
  return {
    selected: PROJECTS.filter((project) => names.includes(project.name)),
    rest: [...args.slice(0, at), ...args.slice(end)],
  };
}

/** Runs one project. Returns its exit code and its counts, which are null when jest ended before it counted. */
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
  // A terminal sends Ctrl-C to jest as well. A signal to this process alone must be forwarded.
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

/** Adds up the counts. A run that failed without a failed test (a crash, a leftover process) counts as one failure. */
function addUp(runs) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { code, tally } of runs) {
    sum.passed += tally?.passed ?? 0;
    sum.failed += Math.max(tally?.failed ?? 0, code === 0 ? 0 : 1);
    sum.skipped += tally?.skipped ?? 0;
  }
  return sum;
}

/** Returns one sentence for each service that this machine lacks, as globalSetup wrote them. */
function leftOut(folder) {
  const file = path.join(folder, "left-out");
  return existsSync(file) ? [...new Set(readFileSync(file, "utf8").split("\n").filter(Boolean))] : [];
}

process.on("SIGINT", () => {}); // jest receives it too and ends; this process stays to print the sum
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
  if (passed + failed === 0) {
    const names = selected.map((project) => project.name).join(", ");
    console.log(`No test in ${names} matches the arguments. \`npm run test:all\` looks in all projects.`);
  }
  console.log(`Tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = passed === 0 || failed > 0 ? Math.max(1, ...runs.map((run) => run.code)) : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
