// The node environment of jest, which also notes that a test of the file failed, so that what it leaves is kept.
import { TestEnvironment } from "jest-environment-node";

export default class NotingEnvironment extends TestEnvironment {
  handleTestEvent(event) {
    if (event.name === "test_done" && event.test.errors.length > 0) this.global.hasFailedTest = true;
  }
}
