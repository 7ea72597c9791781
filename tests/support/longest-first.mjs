// The order of test files (jest's testSequencer): those that take longest begin, so that none is left alone at the end.
import path from "node:path";
import Sequencer from "@jest/test-sequencer";

const root = path.resolve(import.meta.dirname, "../..");

/** Those of more than 30 s, longest first. Jest would go by their size, which says nothing about waiting, or by its last run, which a clone lacks. */
const LONGEST = [
  "tests/e2e/crashes.e2e.test.ts",
  "tests/e2e/worker-processes.e2e.test.ts",
  "tests/e2e/volume.e2e.test.ts",
  "tests/e2e/bad-input.e2e.test.ts",
  "tests/e2e/retries.e2e.test.ts",
  "tests/e2e/cancel-and-expiry.e2e.test.ts",
  "tests/e2e/bench.e2e.test.ts",
  "apps/cli/test/up.int.test.ts",
  "apps/cli/test/run.int.test.ts",
  "packages/storage/test/s3-store.int.test.ts",
  "apps/worker/test/worker-processes.int.test.ts",
  "packages/storage/test/folder-store.int.test.ts",
  "packages/queue/test/postgres.int.test.ts",
  "packages/local-postgres/test/start-local-postgres.int.test.ts",
  "packages/queue/test/redis.int.test.ts",
].map((name) => path.join(root, name));

const place = ({ path: file }) => {
  const at = LONGEST.indexOf(file);
  return at < 0 ? LONGEST.length : at;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => place(a) - place(b));
  }
}
