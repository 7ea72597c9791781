// A jest reporter that writes the counts of a run to TEST_TALLY_FILE. scripts/test.mjs adds them up.
import { writeFileSync } from "node:fs";

export default class Tally {
  onRunComplete(_contexts, results) {
    const tally = {
      passed: results.numPassedTests,
      // A file that fails to load has no tests to count.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(process.env.TEST_TALLY_FILE, JSON.stringify(tally));
  }
}
