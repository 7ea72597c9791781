// A jest reporter that writes the numbers of a run to the file TEST_TALLY_FILE, for the sum at the end of scripts/test.mjs.
import { writeFileSync } from "node:fs";

export default class Tally {
  onRunComplete(_contexts, results) {
    const tally = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites, // a file that could not be loaded has no tests to count
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(process.env.TEST_TALLY_FILE, JSON.stringify(tally));
  }
}
