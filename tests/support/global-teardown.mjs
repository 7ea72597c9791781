// Stops what globalSetup started, and fails the run when a process that a test started is still there (jest's globalTeardown).
import { stopTestServices } from "@nightshift/testing/services";

export default stopTestServices;
