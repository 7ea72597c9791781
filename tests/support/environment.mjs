// Jest's node environment. It also records whether a test of the file has failed, so that the file's data is kept.
import { TestEnvironment } from "jest-environment-node";

export default class FailureRecordingEnvironment extends TestEnvironment {
  handleTestEvent(event) {
    if (event.name === "test_done" && event.test.errors.length > 0) this.global.hasFailedTest = true;
  }
}
